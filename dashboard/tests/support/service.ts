// The real service, as a process of its own in a temporary folder.
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Person } from "./api";
import { Child } from "./child";
import { pagesFolder } from "./pages";
import { freePort } from "./ports";
import { Postgres } from "./postgres";
import { repository, servicePath } from "./program";

export interface ServiceOptions {
  /** SQLite when it is not said. */
  database?: "sqlite" | "postgres";
  /** By their dotted names, over those of development. */
  settings?: Record<string, string>;
}

/** Of the first operator; others get the same. */
export const PASSWORD = "correct horse battery";

export class Service {
  /** Where it runs and keeps its files. The examples lie there too. */
  readonly folder: string;
  #settings: Record<string, string>;
  #child: Child | undefined;
  #postgres: Postgres | undefined;
  #port = 0;
  #operator: Person | undefined;

  private constructor(folder: string, settings: Record<string, string>, postgres: Postgres | undefined) {
    this.folder = folder;
    this.#settings = settings;
    this.#postgres = postgres;
  }

  static async start({ database = "sqlite", settings = {} }: ServiceOptions = {}): Promise<Service> {
    const folder = mkdtempSync(join(tmpdir(), "callboard-browser-"));
    cpSync(join(repository, "examples"), join(folder, "examples"), { recursive: true });
    const postgres = database === "postgres" ? await Postgres.start() : undefined;
    const url = postgres?.url ?? `sqlite:${join(folder, "callboard.db")}`;
    const service = new Service(folder, { "store.url": url, ...settings }, postgres);
    await service.resume(await freePort());
    await service.#insistOnDashboard();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What it has printed and logged since its last start. */
  get said(): string {
    return this.#child?.said ?? "";
  }

  /** The link that the first operator signs in with, as it was printed. */
  async firstLink(): Promise<string> {
    const [, link] = (await this.#child?.heard(/(http\S+\/sign-in\?token=\S+)/)) ?? [];
    if (!link) throw new Error("the service does not run");
    return link;
  }

  /** The operator, signed in over HTTP with the printed link. */
  async operator(): Promise<Person> {
    this.#operator ??= await this.#firstOperator();
    return this.#operator;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#child?.end("KILL");
    this.#child = undefined;
  }

  /** Starts it on the database and, unless another is given, at the address it had before. */
  async resume(port = this.#port): Promise<void> {
    const child = new Child([servicePath(), "serve"], { cwd: this.folder, env: this.#environment(port) });
    this.#child = child;
    const [, found] = await child.heard(/listens on http:\/\/127\.0\.0\.1:(\d+)/);
    this.#port = Number(found);
    if (this.#operator) this.#operator.api.url = this.url;
  }

  /** Ends it orderly, with everything it has started. */
  async end(): Promise<void> {
    await this.#child?.end("TERM");
    this.#child = undefined;
  }

  /** Ends it and removes what it leaves behind. */
  async discard(): Promise<void> {
    await this.end();
    await this.#postgres?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One of the examples, as a text. */
  example(name: string): string {
    return readFileSync(join(this.folder, "examples", `${name}.yaml`), "utf8");
  }

  async #firstOperator(): Promise<Person> {
    const token = new URL(await this.firstLink()).searchParams.get("token") ?? "";
    const email = "ada@example.org";
    return Api.firstSignIn(this.url, { token, password: PASSWORD, email, display_name: "Ada" });
  }

  #environment(port: number): NodeJS.ProcessEnv {
    const settings = {
      "server.port": String(port),
      "server.workers": "2",
      "server.shutdown_grace_seconds": "1",
      "identity.directory": this.folder,
      "secrets.key_file": join(this.folder, "secrets.key"),
      "effects.shell.runtime_directory": join(this.folder, "processes"),
      ...this.#settings,
    };
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CALLBOARD_"));
    const own = Object.entries(settings).map(([key, value]) => [
      `CALLBOARD__${key.toUpperCase().replaceAll(".", "__")}`,
      value,
    ]);
    return Object.fromEntries([...inherited, ...own]);
  }

  async #insistOnDashboard(): Promise<void> {
    if (pagesFolder()) return;
    const page = await (await fetch(this.url, { headers: { accept: "text/html" } })).text();
    if (!page.includes("/assets/"))
      throw new Error("the program was built without its dashboard: `make dashboard` first");
  }
}
