// The log of something that goes on: it is followed until somebody wants to read.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

const TALKATIVE = `
document: { dsl: '1.0.3', namespace: test, name: talkative, version: '1.0.0' }
do:
  - talk: { run: { shell: { command: 'seq -f "line %.0f" 200 >&2; cat go-on >&2' } } }
`;

test("who scrolls up with a finger is not carried on by what comes in", async () => {
  const ada = await world.service.operator();
  const pipe = join(world.service.folder, "go-on");
  execFileSync("mkfifo", [pipe]);
  const { id } = await ada.api.start({ definition: TALKATIVE });
  const page = await world.open(ada, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.goto(`/executions/${id}?tab=logs`);
  await page.getByText("line 200", { exact: true }).waitFor();
  const follow = page.getByRole("button", { name: "Follow" });
  expect(await follow.getAttribute("aria-pressed")).toBe("true");

  const log = page.getByRole("log");
  const { x, y, width } = (await log.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const wire = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", down?: number) =>
    wire.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: down === undefined ? [] : [{ x: x + width / 2, y: y + 20 + down }],
    });
  await touch("touchStart", 0);
  for (const down of [30, 60, 90, 120]) await touch("touchMove", down);
  await touch("touchEnd");
  await expect.poll(() => follow.getAttribute("aria-pressed")).toBe("false");
  await writeFile(pipe, "the last line\n");
  await ada.api.reached(id, "succeeded");
  await page.getByText("Succeeded", { exact: true }).first().waitFor();
  const below = await log.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
  expect(below, "pixels to the end").toBeGreaterThan(50);
  await follow.click();
  await page.getByText("the last line", { exact: true }).waitFor();
});
