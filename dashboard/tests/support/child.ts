// A program that ends with the tests, however they end: a shell beside it waits for the end of a pipe, and kills it then.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

/** A line on the pipe names the signal; the end of the pipe kills. */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ read -r signal <&3; kill -"\${signal:-KILL}" $program; } 2>/dev/null &
exec 3<&-
wait $program
`;
/** Of what a program has said, the newest characters are kept for the report of a failure. */
const MAX_KEPT = 20_000;

export class Child {
  /** What it has printed, on both channels. */
  said = "";
  #guard: ChildProcess;
  #listeners = new Set<() => void>();

  constructor(command: readonly string[], options: SpawnOptions) {
    this.#guard = spawn("sh", ["-c", GUARD, "sh", ...command], { ...options, stdio: ["pipe", "pipe", "pipe"] });
    const tellAll = () => {
      for (const tell of this.#listeners) tell();
    };
    const listen = (piece: Buffer) => {
      this.said = (this.said + piece.toString()).slice(-MAX_KEPT);
      tellAll();
    };
    this.#guard.stdout?.on("data", listen);
    this.#guard.stderr?.on("data", listen);
    this.#guard.on("exit", tellAll);
  }

  get #hasEnded(): boolean {
    return this.#guard.exitCode !== null || this.#guard.signalCode !== null;
  }

  /** Waits until it has said something; the groups of what was found. */
  async heard(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.said);
      if (found) return found;
      if (this.#hasEnded) throw new Error(`it ended before it said ${pattern}:\n${this.said}`);
      await new Promise<void>((resolve) => {
        const tell = () => {
          this.#listeners.delete(tell);
          resolve();
        };
        this.#listeners.add(tell);
      });
    }
  }

  /** Sends it a signal, and waits until it is gone. */
  async end(signal: "KILL" | "TERM" | "QUIT"): Promise<void> {
    const gone = this.#hasEnded ? undefined : once(this.#guard, "exit");
    this.#guard.stdin?.end(`${signal}\n`);
    await gone;
  }
}
