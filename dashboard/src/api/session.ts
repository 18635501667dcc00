// Who is signed in. The access token lives in memory only; what renews it is a cookie that scripts cannot read.

import type { Tokens, UserView } from "./generated/schema";

type Listener = () => void;

/** Whoever waits for a renewal is told by then that there is none. The service takes the same cookie once more for a while. */
const PATIENCE_MS = 20_000;

class Session {
  #token: string | undefined;
  #person: UserView | undefined;
  #renewing: Promise<boolean> | undefined;
  #isRefused = false;
  /** The last one who was signed in, also after they have left. */
  #lastId: string | undefined;
  #changes = 0;
  #listeners = new Set<Listener>();

  /** Puts the credential on a request, when there is one. */
  sign(headers: Headers): void {
    if (this.#token) headers.set("authorization", `Bearer ${this.#token}`);
  }

  get token(): string | undefined {
    return this.#token;
  }

  get person(): UserView | undefined {
    return this.#person;
  }

  /** Whether the service wants a sign-in that this browser does not have. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * How often it was somebody else than before. The tabs of a browser share their cookie: who signs in in one of them comes to the
   * others with their next renewal.
   */
  get changes(): number {
    return this.#changes;
  }

  begin({ access_token, user }: Pick<Tokens, "access_token" | "user">): void {
    if (this.#lastId !== undefined && this.#lastId !== user.id) this.#changes += 1;
    this.#lastId = user.id;
    this.#token = access_token;
    this.#person = user;
    this.#isRefused = false;
    this.#tell();
  }

  /** Whoever is signed in has changed something about themselves. */
  know(person: UserView): void {
    this.#person = person;
    this.#tell();
  }

  end(): void {
    this.#token = undefined;
    this.#person = undefined;
    this.#isRefused = true;
    this.#tell();
  }

  /** Exchanges the cookie for a new access token; many requests that fail at once share one exchange. */
  renew(): Promise<boolean> {
    this.#renewing ??= inTurn(() => this.#exchange()).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Does something to the cookie, while nobody renews it: here, or in another tab. */
  async alone<T>(act: () => Promise<T>): Promise<T> {
    await this.#renewing?.catch(() => false);
    return inTurn(act);
  }

  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #exchange(): Promise<boolean> {
    // A service that cannot be reached has not refused anybody.
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch("/api/v1/auth/refresh", { method: "POST", credentials: "same-origin", signal });
    if (response.ok) {
      this.begin((await response.json()) as Tokens);
      return true;
    }
    if (response.status === 401) this.end();
    return false;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A renewing token is good once, so the tabs of a browser take turns: the next one sends the cookie that the last one got. */
function inTurn<T>(act: () => Promise<T>): Promise<T> {
  // Locks exist in secure contexts only; a plain address that is not the own machine does without.
  return navigator.locks ? navigator.locks.request("callboard.renew", async () => act()).then((done) => done) : act();
}

export const session = new Session();
