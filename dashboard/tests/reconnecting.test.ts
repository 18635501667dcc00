// The service dies while pages are open, comes back, and the pages catch up by themselves: nothing is lost, doubled or reloaded.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const LONG = `
document: { dsl: '1.0.3', namespace: test, name: long, version: '1.0.0' }
do:
  - early: { set: { step: 1 } }
  - rest: { wait: { hours: 1 } }
`;

for (const database of ["sqlite", "postgres"] as const) {
  describe(`on ${database}`, () => {
    const world = worldOfFile({ database });

    test("pages catch up after the service was killed", async () => {
      const { service } = world;
      const ada = await service.operator();
      const watched = (await ada.api.start({ definition: LONG })).id;
      await ada.api.reached(watched, "waiting");
      // What a browser logs when nobody answers.
      const expected =
        /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|WebSocket/;
      const list = await world.open(ada, { expected });
      const journal = await world.open(ada, { expected });
      await list.goto("/executions");
      await journal.goto(`/executions/${watched}?tab=events`);
      await list.getByText(watched.slice(-8)).waitFor();
      await journal.getByRole("button", { name: "execution_waiting" }).first().waitFor();
      await Promise.all([mark(list), mark(journal)]);

      const address = new URL(service.url).port;
      await service.kill();
      await Promise.all([list, journal].map((page) => page.getByText("Offline").first().waitFor()));
      // While nobody can see it: the service runs at another address, and things happen.
      await service.resume(0);
      await ada.api.steer(watched, "pause");
      await ada.api.reached(watched, "paused");
      const missed = (await ada.api.start({ definition: LONG, labels: { missed: "yes" } })).id;
      await ada.api.reached(missed, "waiting");
      await service.end();
      await service.resume(Number(address));

      await Promise.all([list, journal].map((page) => page.getByText("Offline").first().waitFor({ state: "hidden" })));
      await list.getByText(missed.slice(-8)).waitFor();
      await journal.getByRole("button", { name: "execution_paused" }).first().waitFor();
      await journal.getByRole("main").getByText("Paused", { exact: true }).waitFor();

      // And from now on it is live again.
      await ada.api.steer(watched, "resume");
      await ada.api.reached(watched, "waiting");
      const after = (await ada.api.start({ definition: LONG })).id;
      await list.getByText(after.slice(-8)).waitFor();
      const events = await ada.api.lastSeq(watched);
      await journal.getByText(`${events} events`).waitFor();
      expect(await numbersOf(journal)).toEqual(Array.from({ length: events }, (_, index) => index + 1));
      expect(await idsOf(list)).toEqual([after, missed, watched].map((id) => id.slice(-8)));
      expect(await Promise.all([list, journal].map(isMarked)), "no page was loaded again").toEqual([true, true]);
    });
  });
}

describe("without a connection", () => {
  const world = worldOfFile();

  test("what was not read yet comes when the service is back", async () => {
    const { service } = world;
    const ada = await service.operator();
    const id = (await ada.api.start({ definition: LONG })).id;
    await ada.api.reached(id, "waiting");
    const expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket/;
    const page = await world.open(ada, { expected });
    await page.goto(`/executions/${id}?tab=events`);
    await page.getByRole("button", { name: "execution_waiting" }).first().waitFor();
    await mark(page);
    const address = new URL(service.url).port;
    await service.kill();
    await page.getByText("Offline").first().waitFor();
    // A part of this page, another page, and the palette: none of them has been asked for before.
    await page.getByRole("tab", { name: "Usage" }).click();
    await page.getByRole("link", { name: "Agents" }).first().click();
    await page.getByRole("status", { name: "Loading" }).waitFor();
    await service.resume(Number(address));
    await page.getByRole("heading", { name: "Agents" }).waitFor();
    await page.goBack();
    await page.getByText("No model was asked").waitFor();
    expect(await isMarked(page), "the page was not loaded again").toBe(true);
  });

  test("a long list reads its beginning again, and nothing else", async () => {
    const ada = await world.service.operator();
    const tiny = await ada.api.register(LONG.replace("hours: 1", "milliseconds: 1"));
    const start = async () => (await ada.api.start({ workflow_id: tiny.id })).id;
    const first = await start();
    for (let count = 0; count < 199; count += 1) await start();
    const page = await world.open(ada, { expected: /WebSocket/ });
    let cut: (() => unknown) | undefined;
    await page.routeWebSocket(/\/ws\//, async (socket) => {
      // One connection, and none any more after it was cut.
      if (cut) return socket.close();
      const server = socket.connectToServer();
      cut = () => Promise.all([socket.close(), server.close()]);
    });
    await page.goto("/executions");
    await page.getByRole("rowgroup").focus();
    await page.keyboard.press("End");
    const last = page.getByText(first.slice(-8));
    await expect
      .poll(async () => {
        await page.keyboard.press("End");
        return last.count();
      })
      .toBe(1);
    const asked: string[] = [];
    page.on("request", (request) => {
      const { pathname, search } = new URL(request.url());
      if (pathname === "/api/v1/executions") asked.push(search);
    });

    await cut?.();
    await page.getByText("Offline").first().waitFor();
    const newest = await start();
    await page.waitForResponse((response) => new URL(response.url()).search.includes("limit=50"));
    await page.keyboard.press("Home");
    await page.getByText(newest.slice(-8)).waitFor();
    expect(new Set(asked)).toEqual(new Set(["?limit=50"]));
    await page.keyboard.press("End");
    await last.waitFor();
  });
});

function mark(page: Page): Promise<void> {
  return page.evaluate(() => {
    document.documentElement.dataset.mark = "there";
  });
}

function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.dataset.mark === "there");
}

/** The numbers of the events that are shown. */
function numbersOf(page: Page): Promise<number[]> {
  return page
    .locator("main ol li button > span:nth-of-type(1)")
    .evaluateAll((found) => found.map((one) => Number(one.textContent)));
}

function idsOf(page: Page): Promise<(string | null)[]> {
  return page.locator("[role=row] a .font-mono").evaluateAll((found) => found.map((one) => one.textContent));
}
