// Who is signed in. The access token lives in memory only; what renews it is a cookie that scripts cannot read.

type Listener = () => void;

class Session {
  #token: string | undefined;
  #renewing: Promise<boolean> | undefined;
  #isRefused = false;
  #listeners = new Set<Listener>();

  /** Puts the credential on a request, when there is one. */
  sign(headers: Headers): void {
    if (this.#token) headers.set("authorization", `Bearer ${this.#token}`);
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** Whether the service wants a sign-in that this browser does not have. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  begin(token: string): void {
    this.#token = token;
    this.#isRefused = false;
    this.#tell();
  }

  end(): void {
    this.#token = undefined;
    this.#isRefused = true;
    this.#tell();
  }

  /** Exchanges the cookie for a new access token; many requests that fail at once share one exchange. */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#exchange().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #exchange(): Promise<boolean> {
    // A service that cannot be reached has not refused anybody.
    const response = await fetch("/api/v1/auth/refresh", { method: "POST", credentials: "same-origin" });
    const answer: unknown = response.ok ? await response.json() : undefined;
    if (typeof answer === "object" && answer !== null && "access_token" in answer) {
      this.begin(String(answer.access_token));
      return true;
    }
    if (response.status === 401) this.end();
    return false;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export const session = new Session();
