// A PostgreSQL server of its own in a temporary folder, reachable through a Unix socket there. It does not run as root.
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child";
import { isRoot, postgresFolder } from "./program";

export class Postgres {
  #folder: string;
  #server: Child;

  private constructor(folder: string, server: Child) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<Postgres> {
    const programs = postgresFolder();
    const folder = mkdtempSync(join(tmpdir(), "callboard-postgres-"));
    if (isRoot) {
      const [uid, gid] = ["-u", "-g"].map((flag) =>
        Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })),
      );
      chownSync(folder, uid ?? 0, gid ?? 0);
    }
    const options = { cwd: folder, env: { ...process.env, PATH: `${programs}:${process.env.PATH}` } };
    const initialize = [
      "initdb",
      "-D",
      "data",
      "-U",
      "callboard",
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
      "-N",
    ];
    execFileSync("setpriv", [...asOwner(folder), ...initialize], { ...options, stdio: "pipe" });
    const settings = ["listen_addresses=", "fsync=off", `unix_socket_directories=${folder}`];
    const serve = ["postgres", "-D", "data", ...settings.flatMap((setting) => ["-c", setting])];
    const server = new Child(["setpriv", ...asOwner(folder), ...serve], options);
    await server.heard(/ready to accept connections/);
    return new Postgres(folder, server);
  }

  get url(): string {
    return `postgres:///postgres?host=${this.#folder}&user=callboard`;
  }

  async stop(): Promise<void> {
    await this.#server.end("QUIT");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The flags with which a program runs as the owner of a folder. */
function asOwner(folder: string): string[] {
  const { uid, gid } = statSync(folder);
  return isRoot ? [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"] : ["--"];
}
