// What a test works with: a running service, a browser, and people who have signed in. A page that complains fails its test.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, type TestContext } from "vitest";
import type { Api, Person } from "./api";
import { pagesFolder, servePages } from "./pages";
import { chromiumPath, isRoot, repository } from "./program";
import { Service, type ServiceOptions } from "./service";

/** For machines that are busy with something else. Everything is waited for, so nothing takes that long as a rule. */
export const PATIENCE_MS = 60_000;
const FAILURES = join(repository, "dashboard/tests/failures");

export interface PageOptions extends BrowserContextOptions {
  /** Texts of complaints that belong to the test. */
  expected?: RegExp;
}

export function launch(): Promise<Browser> {
  // Pages that do not come over the network count as foreign ones, which may not connect to this machine.
  const args = pagesFolder() ? ["--disable-features=LocalNetworkAccessChecks"] : [];
  return chromium.launch({ executablePath: chromiumPath(), chromiumSandbox: !isRoot, args });
}

/** A context of the browser in which somebody has signed in; nobody, without a person. */
export async function contextOf(
  browser: Browser,
  url: string,
  person: Person | undefined,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await servePages(context);
  if (person) {
    const { email, password, tenant } = person;
    const answer = await context.request.post("/api/v1/auth/login", { data: { email, password, tenant } });
    if (!answer.ok()) throw new Error(`${email} cannot sign in: ${await answer.text()}`);
  }
  return context;
}

export class World {
  #service: Service | undefined;
  #browser: Browser | undefined;
  #opened: BrowserContext[] = [];
  #complaints: string[] = [];

  get service(): Service {
    if (!this.#service) throw new Error("the service has not been started");
    return this.#service;
  }

  get browser(): Browser {
    if (!this.#browser) throw new Error("the browser has not been started");
    return this.#browser;
  }

  /** The interface, as the first operator. */
  async api(): Promise<Api> {
    return (await this.service.operator()).api;
  }

  /** A page in a browser of its own, in which somebody has signed in; nobody, without a person. */
  async open(person: Person | undefined, { expected, ...options }: PageOptions = {}): Promise<Page> {
    const context = await contextOf(this.browser, this.service.url, person, options);
    this.#opened.push(context);
    const page = await context.newPage();
    // Somebody who has not signed in is told so, which browsers log.
    const usual = person ? undefined : /status of 401 .*\/auth\/refresh/;
    const complain = (text: string) => {
      if (!expected?.test(text) && !usual?.test(text)) this.#complaints.push(text);
    };
    page.on("pageerror", (error) => complain(`the page failed: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") complain(`the console says: ${message.text()} ${message.location().url}`);
    });
    return page;
  }

  async begin(options: ServiceOptions): Promise<void> {
    [this.#service, this.#browser] = await Promise.all([Service.start(options), launch()]);
  }

  async endTest({ task }: TestContext): Promise<void> {
    const complaints = this.#complaints.splice(0);
    const contexts = this.#opened.splice(0);
    if (task.result?.state === "fail") await this.#keep(task.name, contexts, complaints);
    await Promise.all(contexts.map((context) => context.close()));
    if (task.result?.state !== "fail") expect(complaints, "what the pages complained about").toEqual([]);
  }

  async end(): Promise<void> {
    await Promise.all([this.#browser?.close(), this.#service?.discard()]);
  }

  /** What helps to understand a failure: the pages as they are, and what everybody has said. */
  async #keep(name: string, contexts: readonly BrowserContext[], complaints: readonly string[]): Promise<void> {
    mkdirSync(FAILURES, { recursive: true });
    const file = join(FAILURES, name.replaceAll(/\W+/g, "-"));
    const pages = contexts.flatMap((context) => context.pages());
    const addresses = pages.map((page) => page.url());
    writeFileSync(`${file}.txt`, [...addresses, ...complaints, this.#service?.said ?? ""].join("\n"));
    for (const [index, page] of pages.entries()) {
      await page.screenshot({ path: `${file}-${index + 1}.png` }).catch(() => undefined);
    }
    console.error(`see ${file}*`);
  }
}

/** A service and a browser for all tests of a file. */
export function worldOfFile(options: ServiceOptions = {}): World {
  const world = new World();
  beforeAll(() => world.begin(options), PATIENCE_MS);
  afterEach((context) => world.endTest(context), PATIENCE_MS);
  afterAll(() => world.end(), PATIENCE_MS);
  return world;
}
