// `npm run gallery -- FOLDER`: every page in every state, theme, width and language, to be looked at by somebody.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page, Route } from "playwright-core";
import type { Person } from "../tests/support/api";
import { type ExampleData, fill } from "../tests/support/example-data";
import { type Place, placesOf, settle, visit } from "../tests/support/places";
import { Service } from "../tests/support/service";
import { contextOf, launch } from "../tests/support/world";

const WIDTHS = [
  { width: 1440, height: 900 },
  { width: 360, height: 740 },
];
const PROBLEM = {
  type: "urn:callboard:problem:store_unavailable",
  title: "The database does not answer",
  status: 503,
  detail: "The database could not be reached within 5 seconds.",
  code: "store_unavailable",
  suggestion: "Try again in a moment.",
  request_id: "00000000-0000-7000-8000-000000000000",
};

/** What is done to the answers of the service before the page gets them. */
type State = "full" | "empty" | "failing" | "loading";

const conditions: Record<Exclude<State, "full" | "empty">, (route: Route) => unknown> = {
  failing: (route) => route.fulfill({ status: 503, contentType: "application/problem+json", json: PROBLEM }),
  loading: () => undefined,
};

export async function main([folder = "gallery"]: string[]): Promise<void> {
  const browser = await launch();
  const [full, empty] = await Promise.all([Service.start(), Service.start()]);
  try {
    const data = await fill(full);
    await Promise.all([
      walk(browser, full, data.operator, placesOf(data), "full", folder),
      walk(browser, empty, await empty.operator(), lists(data), "empty", folder),
    ]);
    for (const state of ["failing", "loading"] as const)
      await walk(browser, full, data.operator, lists(data), state, folder);
  } finally {
    await Promise.all([browser.close(), full.discard(), empty.discard()]);
  }
}

/** The places that have something to say when there is nothing, not yet something, or something went wrong. */
function lists(data: ExampleData): Place[] {
  const others = /execution-|workflow-(definition|runs|versions|run)|^(agent|compare|missing|monitor|question)$/;
  return placesOf(data).filter(({ name }) => !others.test(name));
}

async function walk(
  browser: Browser,
  service: Service,
  person: Person,
  places: readonly Place[],
  state: State,
  folder: string,
): Promise<void> {
  for (const locale of ["en-GB", "zh-CN"]) {
    const context = await contextOf(browser, service.url, person, { locale, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(`${page.url()}: ${error.message}`));
    for (const place of places) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await arrive(page, place, state);
      for (const viewport of WIDTHS) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          if (state !== "loading") await settle(page);
          const file = join(folder, state, `${place.name}-${viewport.width}-${colorScheme}-${locale.slice(0, 2)}.png`);
          mkdirSync(join(folder, state), { recursive: true });
          await page.screenshot({ path: file, animations: "disabled" });
        }
      }
    }
    await context.close();
  }
}

async function arrive(page: Page, place: Place, state: State): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  if (state === "full" || state === "empty") return visit(page, place);
  // Who one is stays known: the page itself is not the question.
  await page.route(/\/api\/v1\/(?!auth\/)/, conditions[state]);
  await page.goto(place.path);
  if (state === "loading") await page.locator("[role=status], .animate-pulse").first().waitFor();
  else await page.getByRole("alert").first().waitFor();
}
