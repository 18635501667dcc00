// The pages from a folder instead of from the program: what was just built is looked at without building the program again.
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BrowserContext } from "playwright-core";

/** What the program answers itself, whatever the folder holds. */
const OF_PROGRAM = /^\/(api|ws|docs|livez|readyz|metrics)(\/|$)/;

/** `CALLBOARD_PAGES` names the folder, usually `dist`. */
export function pagesFolder(): string | undefined {
  const { CALLBOARD_PAGES: folder } = process.env;
  return folder && resolve(folder);
}

/** Without a folder nothing is done. */
export async function servePages(context: BrowserContext): Promise<void> {
  const folder = pagesFolder();
  if (!folder) return;
  await context.route(
    (url) => !OF_PROGRAM.test(url.pathname) && url.hostname === "127.0.0.1",
    (route) => {
      const path = join(folder, new URL(route.request().url()).pathname);
      const isFile = existsSync(path) && statSync(path).isFile();
      return route.fulfill({ path: isFile ? path : join(folder, "index.html") });
    },
  );
}
