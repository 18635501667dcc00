// Visits every page in one language: accessible in both themes, as wide as a small telephone, calm while it is read, and with a
// title of its own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { fill } from "./example-data";
import { placesOf, settle, visit } from "./places";
import { worldOfFile } from "./world";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };
/** What is felt as good: the part of what is seen that moves, times how far. */
const MAX_SHIFT = 0.05;

declare global {
  interface Window {
    /** How much has moved since the page was loaded without anybody having done anything. */
    shifted: number;
    /** Where it was, and where it went. */
    moved: string[];
    axe: { run(context: Document, options: RunOptions): Promise<AxeResults> };
  }
}

export function checkEveryPage(locale: "en-GB" | "zh-CN"): void {
  const world = worldOfFile();

  test(`every page is accessible and fits a telephone, ${locale}`, async () => {
    const data = await fill(world.service);
    // A page that does not exist is one of them.
    const page = await world.open(data.operator, { locale, reducedMotion: "reduce", expected: /status of 404/ });
    await page.addInitScript(countShifts);
    const found: string[] = [];
    for (const place of placesOf(data)) {
      // One language comes by telephone.
      await page.setViewportSize(locale === "zh-CN" ? PHONE : DESKTOP);
      await page.emulateMedia({ colorScheme: "light" });
      await visit(page, place);
      const [shifted, moved] = await page.evaluate(() => [window.shifted, window.moved] as const);
      if (shifted > MAX_SHIFT)
        found.push(`${place.name} moves while it is read: ${shifted.toFixed(3)}, ${moved.join(", ")}`);
      const title = await page.title();
      if (!/^\S.* · Callboard$/.test(title)) found.push(`${place.name} is called "${title}"`);
      await page.setViewportSize(DESKTOP);
      await settle(page);
      found.push(...(await violations(page, {})).map((one) => `${place.name}, light: ${one}`));
      // The themes differ in nothing but colors.
      await page.emulateMedia({ colorScheme: "dark" });
      await settle(page);
      found.push(
        ...(await violations(page, { runOnly: { type: "rule", values: ["color-contrast"] } })).map(
          (one) => `${place.name}, dark: ${one}`,
        ),
      );
      await page.setViewportSize(PHONE);
      await settle(page);
      found.push(...(await tooWide(page)).map((one) => `${place.name}, 360 px: ${one}`));
    }
    expect(found).toEqual([]);
  });
}

function countShifts(): void {
  type Shift = PerformanceEntry & {
    value: number;
    hadRecentInput: boolean;
    sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[];
  };
  window.shifted = 0;
  window.moved = [];
  const observer = new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
      if (hadRecentInput) continue;
      window.shifted += value;
      for (const { node, previousRect, currentRect } of sources) {
        const name = node instanceof Element ? `<${node.localName} class="${node.className}">` : node?.textContent;
        window.moved.push(`${name} from ${previousRect.y} to ${currentRect.y}`);
      }
    }
  });
  observer.observe({ type: "layout-shift", buffered: true });
}

/** What axe calls serious or critical. */
async function violations(page: Page, options: RunOptions): Promise<string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate((given) => window.axe.run(document, given), options);
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`));
}

/** What makes the page itself scroll sideways; tables and the like may do so inside. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrollers = [document.documentElement, document.querySelector("main")];
    return scrollers
      .filter((element) => element !== null)
      .filter((element) => element.scrollWidth > element.clientWidth)
      .map((element) => `<${element.localName}> is ${element.scrollWidth} wide in ${element.clientWidth}`);
  });
}
