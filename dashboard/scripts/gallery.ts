// `npm run gallery -- FOLDER [PATTERN]`: every page in every state, theme, width and language, to be looked at by somebody. With a
// pattern, only pictures whose `state/place-screen-theme-language` it matches: `^full/execution-.*-360-light-zh`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import type { Person } from "../tests/support/api";
import { fill } from "../tests/support/example-data";
import { type Place, placesOf, settle, visit } from "../tests/support/places";
import { Service } from "../tests/support/service";
import { contextOf, launch } from "../tests/support/world";
import { startBusy } from "./busy";
import { PROBLEM, type Scene, scenesOf } from "./scenes";

interface Screen {
  name: string;
  width: number;
  height: number;
  /** Pixels of the screen for one of the page. */
  density: number;
}

const DESK: Screen = { name: "1440", width: 1440, height: 900, density: 1 };
const PHONE: Screen = { name: "360", width: 360, height: 740, density: 1 };
const WIDE: Screen = { name: "2560", width: 2560, height: 1300, density: 1 };
const LARGE: Screen = { name: "3840", width: 3840, height: 2160, density: 1 };
/** The same with everything twice as large. */
const DENSE: Screen = { name: "1920x2", width: 1920, height: 1080, density: 2 };
const SCREENS = [DESK, PHONE, WIDE, LARGE, DENSE];
const FOR_LARGE_SCREENS = /^(dashboard|executions|execution-.*|workflow-.*|agents?|compare|queue|admin-.*)$/;

/** What is different: the service, who looks, or what the page gets to hear. */
type State =
  | "full"
  | "empty"
  | "busy"
  | "viewer"
  | "failing"
  | "partly-failing"
  | "loading"
  | "partly-loading"
  | "offline";

/** Who one is stays known: the page itself is not the question. */
const EVERYTHING = /\/api\/v1\/(?!auth\/)/;
/** The thing itself is there, and what belongs to it is not. */
const PARTS = /\/api\/v1\/(executions\?|(executions|workflows)\/[^/]+\/)/;

const conditions: Partial<Record<State, { of: RegExp; answer: (route: Route) => unknown }>> = {
  failing: { of: EVERYTHING, answer: fail },
  "partly-failing": { of: PARTS, answer: fail },
  loading: { of: EVERYTHING, answer: () => undefined },
  "partly-loading": { of: PARTS, answer: () => undefined },
};

function fail(route: Route): Promise<void> {
  return route.fulfill({ status: PROBLEM.status, contentType: "application/problem+json", json: PROBLEM });
}

interface Walk {
  state: State;
  url: string;
  person: Person;
  places: readonly Scene[];
}

interface Shot {
  name: string;
  screen: Screen;
  colorScheme: "light" | "dark";
}

export async function main([folder = "gallery", pattern = ""]: string[]): Promise<void> {
  const browser = await launch();
  const [full, empty, busy] = await Promise.all([Service.start(), Service.start(), startBusy()]);
  const wanted = new RegExp(pattern);
  try {
    const data = await fill(full);
    const [operator, all] = [data.operator, placesOf(data)];
    const own = { url: full.url, person: operator };
    const walks: Walk[] = [
      { ...own, state: "full", places: [...all, ...scenesOf(data)] },
      { url: empty.url, state: "empty", person: await empty.operator(), places: lists(all) },
      { url: busy.service.url, state: "busy", person: busy.operator, places: busy.places },
      { url: full.url, state: "viewer", person: data.viewer, places: alone(all) },
      { ...own, state: "failing", places: alone(all) },
      { ...own, state: "partly-failing", places: parts(all) },
      { ...own, state: "loading", places: alone(all) },
      { ...own, state: "partly-loading", places: parts(all) },
      { ...own, state: "offline", places: lists(all).slice(0, 2) },
    ];
    for (const walk of walks) await goThrough(browser, walk, folder, wanted);
  } finally {
    await Promise.all([browser.close(), full.discard(), empty.discard(), busy.service.discard()]);
  }
}

/** The places that read something, with nothing opened on them. */
function alone(places: readonly Place[]): Place[] {
  return places.filter(({ name, open }) => !open && !/sign-in|missing/.test(name));
}

/** The places that have something to say when there is nothing yet. */
function lists(places: readonly Place[]): Place[] {
  const ofOne = /^execution-|^workflow-(?!new)|^(agent|compare)$/;
  return alone(places).filter(({ name }) => !ofOne.test(name));
}

/** The places of which the parts are read one by one. */
function parts(places: readonly Place[]): Place[] {
  return alone(places).filter(({ name }) => /^execution-|^workflow-|^(agent|compare)$/.test(name));
}

async function goThrough(browser: Browser, walk: Walk, folder: string, wanted: RegExp): Promise<void> {
  mkdirSync(join(folder, walk.state), { recursive: true });
  for (const locale of ["en-GB", "zh-CN"]) {
    for (const density of [1, 2]) {
      const pictures = walk.places
        .map((place) => ({ place, shots: shotsOf(place, walk.state, locale, density) }))
        .map(({ place, shots }) => ({ place, shots: shots.filter(({ name }) => wanted.test(name)) }))
        .filter(({ shots }) => shots.length > 0);
      if (pictures.length === 0) continue;
      const options = { locale, deviceScaleFactor: density, reducedMotion: "reduce" } as const;
      const context = await contextOf(browser, walk.url, walk.person, options);
      for (const { place, shots } of pictures) await take(context, place, walk.state, shots, folder);
      await context.close();
    }
  }
}

function shotsOf(place: Scene, state: State, locale: string, density: number): Shot[] {
  const isForLarge = state === "full" && FOR_LARGE_SCREENS.test(place.name);
  const screens = place.isNarrow ? [PHONE] : SCREENS.filter((one) => isForLarge || (one !== LARGE && one !== DENSE));
  return screens
    .filter((screen) => screen.density === density)
    .flatMap((screen) =>
      (["light", "dark"] as const).map((colorScheme) => ({
        name: `${state}/${place.name}-${screen.name}-${colorScheme}-${locale.slice(0, 2)}`,
        screen,
        colorScheme,
      })),
    );
}

/** In a tab of its own, so that nothing of one place is left on the next. */
async function take(
  context: BrowserContext,
  place: Scene,
  state: State,
  shots: readonly Shot[],
  folder: string,
): Promise<void> {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${page.url()}: ${error.message}`));
  await page.setViewportSize(place.isNarrow ? PHONE : DESK);
  try {
    await arrive(page, place, state);
    for (const { name, screen, colorScheme } of shots) {
      await page.setViewportSize(screen);
      await page.emulateMedia({ colorScheme });
      if (!state.includes("loading")) await settle(page);
      await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
    }
  } catch (error) {
    // The others are worth seeing all the same.
    const path = join(folder, `${state}-${place.name}-failed.png`);
    await page.screenshot({ path });
    console.error(`${path}: ${String(error)}`);
    process.exitCode = 1;
  }
  await page.close();
}

async function arrive(page: Page, place: Place, state: State): Promise<void> {
  const condition = conditions[state];
  if (state === "offline") await page.routeWebSocket(/\/ws\//, (socket) => socket.close());
  if (!condition) {
    await visit(page, place);
    if (state === "offline") await page.locator(".lucide-cloud-off").filter({ visible: true }).first().waitFor();
    return;
  }
  await page.route(condition.of, condition.answer);
  await page.goto(place.path);
  const sign = state === "failing" ? "[role=alert]" : "h1, .animate-pulse";
  await page.locator(sign).filter({ visible: true }).first().waitFor();
}
