// `npm run gallery -- FOLDER [PATTERN]`: every page in every state, theme, width and language, to be looked at by somebody. With a
// pattern, only pictures whose `state/place-width-theme-language` it matches: `^full/execution-.*-360-light-zh`.
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
  { width: 2560, height: 1300 },
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

interface Walk {
  browser: Browser;
  folder: string;
  wanted: RegExp;
}

export async function main([folder = "gallery", pattern = ""]: string[]): Promise<void> {
  const browser = await launch();
  const [full, empty] = await Promise.all([Service.start(), Service.start()]);
  const way: Walk = { browser, folder, wanted: new RegExp(pattern) };
  try {
    const data = await fill(full);
    await Promise.all([
      walk(way, full, data.operator, placesOf(data), "full"),
      walk(way, empty, await empty.operator(), lists(data), "empty"),
    ]);
    for (const state of ["failing", "loading"] as const) await walk(way, full, data.operator, lists(data), state);
  } finally {
    await Promise.all([browser.close(), full.discard(), empty.discard()]);
  }
}

/** The places that read something, and have something to say when there is nothing, not yet something, or something went wrong. */
function lists(data: ExampleData): Place[] {
  const others =
    /execution-|sign-in|workflow-(definition|runs|versions|run)|^(agent|compare|missing|monitor|question|account|palette|shortcuts|preferences)$/;
  return placesOf(data).filter(({ name }) => !others.test(name));
}

async function walk(
  { browser, folder, wanted }: Walk,
  service: Service,
  person: Person,
  places: readonly Place[],
  state: State,
): Promise<void> {
  for (const locale of ["en-GB", "zh-CN"]) {
    const pictures = places
      .map((place) => ({ place, shots: shotsOf(place, state, locale).filter(({ name }) => wanted.test(name)) }))
      .filter(({ shots }) => shots.length > 0);
    if (pictures.length === 0) continue;
    const context = await contextOf(browser, service.url, person, { locale, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(`${page.url()}: ${error.message}`));
    mkdirSync(join(folder, state), { recursive: true });
    for (const { place, shots } of pictures) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await arrive(page, place, state);
      for (const { name, viewport, colorScheme } of shots) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        if (state !== "loading") await settle(page);
        await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
      }
    }
    await context.close();
  }
}

function shotsOf(place: Place, state: State, locale: string) {
  return WIDTHS.flatMap((viewport) =>
    (["light", "dark"] as const).map((colorScheme) => ({
      name: `${state}/${place.name}-${viewport.width}-${colorScheme}-${locale.slice(0, 2)}`,
      viewport,
      colorScheme,
    })),
  );
}

async function arrive(page: Page, place: Place, state: State): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  if (state === "full" || state === "empty") return visit(page, place);
  // Who one is stays known: the page itself is not the question.
  await page.route(/\/api\/v1\/(?!auth\/)/, conditions[state]);
  await page.goto(place.path);
  if (state === "loading") await page.locator("h1, .animate-pulse").filter({ visible: true }).first().waitFor();
  else await page.getByRole("alert").first().waitFor();
}
