// `npm run measure`: how the dashboard feels with a lot in it, as a report. CALLBOARD_PROGRAM names an optimized program;
// EXECUTIONS and ITEMS say how much there is (100 000 executions, 20 000 events and log lines in one of them).
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Api } from "../tests/support/api";
import { settle } from "../tests/support/places";
import { Service } from "../tests/support/service";
import { percentile, record, recorded, type Smoothness } from "../tests/support/smoothness";
import { contextOf, launch } from "../tests/support/world";

const EXECUTIONS = Number(process.env.EXECUTIONS ?? 100_000);
const ITEMS = Number(process.env.ITEMS ?? 20_000);
const CLIENTS = 32;
const FRAME_MS = 1_000 / 60;
/** A frame that comes this late has let another one out. */
const DROPPED_MS = FRAME_MS * 1.5;
/** Pixels a frame: a wheel that is turned fast, and ten rows of the list, faster than anything could be recognized. */
const SPEEDS = { fast: 104, fastest: 520 };
type Speed = keyof typeof SPEEDS;
const SCROLL_SECONDS = 5;

const TINY = `
document: { dsl: '1.0.3', namespace: measured, name: tiny, version: '1.0.0' }
do:
  - only: { set: { done: true } }
`;
/** Four events for each turn of the loop. */
const EVENTS = `
document: { dsl: '1.0.3', namespace: measured, name: many-events, version: '1.0.0' }
do:
  - count:
      for: { each: number, in: '[range(${Math.ceil(ITEMS / 2)})]' }
      do:
        - add: { set: '\${ { sum: ((.sum // 0) + 1) } }' }
`;
const LINES = `
document: { dsl: '1.0.3', namespace: measured, name: many-lines, version: '1.0.0' }
do:
  - print: { run: { shell: { command: 'seq -f "line %.0f of a program that tells what it does" ${ITEMS} >&2' } } }
`;

export async function main(): Promise<void> {
  const settings = { "rate_limits.per_principal": "0", "limits.max_queued_executions": "0" };
  const [service, browser] = await Promise.all([Service.start({ settings }), launch()]);
  try {
    const { api } = await service.operator();
    const events = (await api.start({ definition: EVENTS })).id;
    const lines = (await api.start({ definition: LINES })).id;
    const [counted] = await Promise.all([events, lines].map((id) => api.reached(id, "succeeded")));
    console.log(`${counted?.last_seq} events, ${ITEMS} log lines, ${EXECUTIONS} executions on ${service.url}`);
    await startMany(api);
    const context = await contextOf(browser, service.url, await service.operator());
    await firstLoad(browser, service);
    const page = await context.newPage();
    await scrollExecution(page, events, "events", "Events");
    await scrollExecution(page, lines, "logs", "Log lines");
    await scrollList(page);
    await interact(context, events);
  } finally {
    await Promise.all([browser.close(), service.discard()]);
  }
}

async function startMany(api: Api): Promise<void> {
  const workflow = (await api.register(TINY)).id;
  const began = performance.now();
  let left = EXECUTIONS;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (left > 0) {
      left -= 1;
      await api.start({ workflow_id: workflow });
    }
  });
  await Promise.all(clients);
  console.log(`started in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

/** What a first visit costs, in bytes and in time. */
async function firstLoad(browser: Browser, service: Service): Promise<void> {
  const context = await contextOf(browser, service.url, await service.operator());
  const page = await context.newPage();
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  const names = new Map<string, string>();
  const sizes = new Map<string, number>();
  wire.on("Network.responseReceived", ({ requestId, response }) =>
    names.set(requestId, response.url.slice(service.url.length)),
  );
  wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  const began = performance.now();
  await page.goto("/");
  await settle(page);
  const took = performance.now() - began;
  const painted = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`First load: ${kilobytes(bytes)}, first paint ${painted.toFixed(0)} ms, complete ${took.toFixed(0)} ms`);
  const largest = [...sizes].sort(([, one], [, other]) => other - one).slice(0, 5);
  console.log(`  largest: ${largest.map(([id, size]) => `${names.get(id)} ${kilobytes(size)}`).join(", ")}`);
  await context.close();
}

async function scrollExecution(page: Page, id: string, tab: string, name: string): Promise<void> {
  const began = performance.now();
  await page.goto(`/executions/${id}?tab=${tab}`);
  await settle(page);
  await page.locator("main [role=tabpanel] .overflow-auto").first().waitFor();
  const shown = performance.now() - began;
  const felt = await scroll(page, "main [role=tabpanel] .overflow-auto", "fastest");
  console.log(`${name}: shown after ${shown.toFixed(0)} ms; ${frames(felt)}`);
}

async function scrollList(page: Page): Promise<void> {
  await page.goto("/executions");
  await settle(page);
  const scroller = "main [role=rowgroup]";
  await page.locator(scroller).waitFor();
  const both = async (what: string) => {
    for (const speed of ["fast", "fastest"] as const)
      console.log(`Executions, ${what}, ${speed}: ${frames(await scroll(page, scroller, speed))}`);
  };
  await both("reading on while scrolling");
  const began = performance.now();
  // Everything there is, read page by page as somebody does who scrolls to the end.
  await page.waitForFunction(
    (selector) => {
      const element = document.querySelector(selector);
      element?.scrollTo(0, element.scrollHeight);
      return document.querySelector("main [role=table]")?.getAttribute("aria-rowcount") !== "-1";
    },
    scroller,
    { timeout: 1_800_000, polling: "raf" },
  );
  const rows = await page.locator("main [role=table]").getAttribute("aria-rowcount");
  console.log(`Executions, read to the end: ${rows} rows in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  await page.locator(scroller).evaluate((element) => element.scrollTo(0, 0));
  await both("all of them there");
}

/** Scrolls by the same distance in each frame. */
async function scroll(page: Page, selector: string, speed: Speed): Promise<Smoothness> {
  await record(page);
  await page.evaluate(
    ([where, pixels, seconds]) =>
      new Promise<void>((resolve) => {
        const element = document.querySelector(where);
        const end = performance.now() + seconds * 1_000;
        const step = () => {
          if (performance.now() > end) return resolve();
          element?.scrollBy(0, pixels);
          requestAnimationFrame(step);
        };
        step();
      }),
    [selector, SPEEDS[speed], SCROLL_SECONDS] as const,
  );
  return recorded(page);
}

/** What one does all day, and how long it takes until something is seen. */
async function interact(context: BrowserContext, events: string): Promise<void> {
  const page = await context.newPage();
  const felt: Smoothness["interactions"] = [];
  const on = async (path: string, act: () => Promise<void>) => {
    await page.goto(path);
    await settle(page);
    await record(page);
    await act();
    await settle(page);
    felt.push(...(await recorded(page)).interactions);
  };
  await on(`/executions/${events}`, async () => {
    for (const tab of ["Timeline", "Events", "Logs", "Output", "Graph", "Events"]) {
      await page.getByRole("tab", { name: tab }).click();
      await settle(page);
    }
  });
  await on("/executions", async () => {
    for (const status of ["Failed", "Succeeded", "Failed", "Succeeded"]) {
      await page.getByRole("button", { name: status, exact: true }).click();
      await settle(page);
    }
    for (const key of "jjjjjkkxj") await page.keyboard.press(key);
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("measured", { delay: 40 });
    await page.keyboard.press("Escape");
  });
  await on("/workflows/new", async () => {
    await page.getByRole("textbox").first().click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("  - next:\n  set: { a: 1 }", { delay: 40 });
  });
  const slowest = felt.sort((a, b) => b.ms - a.ms).slice(0, 5);
  const all = felt.map(({ ms }) => ms);
  console.log(`Interaction to paint: p95 ${percentile(all, 0.95)} ms, of those above 16 ms (${all.length})`);
  console.log(`  slowest: ${slowest.map(({ name, ms }) => `${name} ${ms} ms`).join(", ")}`);
}

function frames({ gaps, longTasks }: Smoothness): string {
  const dropped = gaps.filter((gap) => gap > DROPPED_MS).length;
  const [p50, p95] = [0.5, 0.95].map((share) => percentile(gaps, share).toFixed(1));
  const longest = Math.max(0, ...longTasks).toFixed(0);
  const share = ((dropped / gaps.length) * 100).toFixed(1);
  return `frames p50 ${p50} ms, p95 ${p95} ms, worst ${Math.max(...gaps).toFixed(0)} ms; ${share} % late; longest task ${longest} ms`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(0)} kB`;
}
