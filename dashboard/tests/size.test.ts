// What a first visit costs: the page with everything it needs, as it comes over the wire.
import { expect, test } from "vitest";
import { settle } from "./support/places";
import { worldOfFile } from "./support/world";

const world = worldOfFile();
const MAX_BYTES = 300_000;

test("the first load of the dashboard is small, and a second one asks for almost nothing", async () => {
  const page = await world.open(await world.service.operator());
  const wire = await page.context().newCDPSession(page);
  await wire.send("Network.enable");
  const names = new Map<string, string>();
  const sizes = new Map<string, number>();
  wire.on("Network.responseReceived", ({ requestId, response }) =>
    names.set(requestId, new URL(response.url).pathname),
  );
  wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));

  const load = async () => {
    names.clear();
    sizes.clear();
    await page.goto("/");
    await page.getByText("Nothing has been executed yet").waitFor();
    await settle(page);
    return [...sizes].map(([id, size]) => [names.get(id) ?? "", size] as const).sort(([, a], [, b]) => b - a);
  };
  const first = await load();
  const total = first.reduce((sum, [, size]) => sum + size, 0);
  console.log(`first load: ${total} bytes in ${first.length} answers`);
  expect(first.some(([path]) => path.startsWith("/assets/"))).toBe(true);
  expect(total, JSON.stringify(first)).toBeLessThan(MAX_BYTES);

  const again = (await load()).filter(([path, size]) => path.startsWith("/assets/") && size > 0);
  expect(again, "assets are kept by the browser").toEqual([]);
});
