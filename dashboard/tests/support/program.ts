// The programs that the tests and pictures need, found where they usually are. What is missing is named with its remedy.
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** The service: `CALLBOARD_PROGRAM`, or what `cargo build` has made of this repository. */
export function servicePath(): string {
  const { CALLBOARD_PROGRAM: named, CARGO_TARGET_DIR: target = join(repository, "target") } = process.env;
  const path = named ?? join(target, "debug", "callboard");
  if (!existsSync(path)) throw new Error(`there is no ${path}: \`make browser-test\` builds it`);
  return path;
}

/** The browser: `CHROMIUM`, or the first of its usual names in the path. */
export function chromiumPath(): string {
  const { CHROMIUM: named, PATH = "" } = process.env;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const inPath = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const path = named ?? inPath.find((candidate) => existsSync(candidate));
  if (!path) throw new Error("there is no Chromium: `make packages` installs it");
  return path;
}

/** The folder with the programs of the newest PostgreSQL server; empty when they are in the path. */
export function postgresFolder(): string {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Boolean) : [];
  const newest = versions.sort((a, b) => b - a).find((version) => existsSync(join(root, `${version}/bin/postgres`)));
  return newest ? join(root, `${newest}/bin`) : "";
}

export const isRoot = process.getuid?.() === 0;
