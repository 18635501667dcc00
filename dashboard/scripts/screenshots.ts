// `make screenshots`: the pictures of the documentation, made from the running product with example data.
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type ExampleData, fill } from "../tests/support/example-data";
import { type Place, visit } from "../tests/support/places";
import { repository } from "../tests/support/program";
import { Service } from "../tests/support/service";
import { contextOf, launch } from "../tests/support/world";

const SIZE = { width: 1280, height: 800 };
/** What is shown as "now": this long after the data was made, so that it is the same number of minutes each time. */
const LATER_MS = 150_000;

function pictures(data: ExampleData): Place[] {
  return [
    { name: "dashboard", path: "/" },
    { name: "executions", path: "/executions" },
    { name: "graph", path: `/executions/${data.failed}?task=/do/2/pay/try/0/charge` },
    { name: "timeline", path: `/executions/${data.succeeded}?tab=timeline` },
    { name: "compare", path: `/compare?a=${data.waiting}&b=${data.cancelled}` },
    { name: "editor", path: `/workflows/new?from=${data.workflow}` },
    { name: "run", path: `/workflows/${data.workflow}?run=1` },
    { name: "agent", path: `/agents/${data.agent}` },
  ];
}

export async function main(): Promise<void> {
  const folder = join(repository, "docs/images");
  mkdirSync(folder, { recursive: true });
  const [service, browser] = await Promise.all([Service.start(), launch()]);
  try {
    const data = await fill(service);
    for (const colorScheme of ["light", "dark"] as const) {
      const options = { viewport: SIZE, colorScheme, reducedMotion: "reduce", deviceScaleFactor: 1.5 } as const;
      const context = await contextOf(browser, service.url, data.operator, options);
      const page = await context.newPage();
      await liveAt(page, Date.now() + LATER_MS);
      for (const place of pictures(data)) {
        const path = join(folder, `${place.name}-${colorScheme}.png`);
        await take(page, place, path);
        console.log(`${path}  ${Math.round(statSync(path).size / 1_000)} kB`);
      }
      await context.close();
    }
  } finally {
    await Promise.all([browser.close(), service.discard()]);
  }
}

/** Lets the page live at another time. It goes by the clock of the service, so that says the same. */
async function liveAt(page: Page, time: number): Promise<void> {
  await page.clock.setFixedTime(time);
  await page.route("**/api/**", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), date: new Date(time).toUTCString() } });
  });
}

async function take(page: Page, place: Place, path: string): Promise<void> {
  await visit(page, place);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  // 256 colors are enough for what is mostly areas of one, and a third of the size.
  execFileSync("pngquant", ["--force", "--skip-if-larger", "--strip", "--speed", "1", "--output", path, "256", path]);
}
