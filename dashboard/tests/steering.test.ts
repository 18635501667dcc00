// An execution in somebody's hands: watched, paused, resumed, cancelled, run again, and held against the one before.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

test("an example is watched, paused, resumed, cancelled, run again and compared", async () => {
  const ada = await world.service.operator();
  await ada.api.register(world.service.example("long-haul"));
  const page = await world.open(ada);
  await page.goto("/workflows");
  await page.getByRole("listitem").filter({ hasText: "long-haul" }).getByRole("link", { name: "Run" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("seconds").fill("3600");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  const first = page.url().slice(-36);

  // Watching: the graph shows what runs, a task tells what it did, and the number on the round button counts it.
  await statusOf("Waiting").waitFor();
  await page.locator(".react-flow__node").filter({ hasText: "arrive" }).last().click();
  await page.getByText("Runs the command").waitFor();
  await page.getByRole("button", { name: "1 execution is running" }).click();
  await page.getByRole("heading", { name: "Running now" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("button", { name: "execution_waiting" }).first().waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await statusOf("Paused").waitFor();
  await page.getByRole("button", { name: "execution_paused" }).first().waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await statusOf("Waiting").waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel the execution" }).click();
  await statusOf("Cancelled").waitFor();
  // Whoever looks at it sees it: nobody is told besides.
  expect(await page.getByText("examples/long-haul was cancelled").count()).toBe(0);

  await page.getByRole("button", { name: "Run again" }).click();
  await page.waitForURL((url) => !url.pathname.endsWith(first));
  await statusOf("Waiting").waitFor();
  const second = new URL(page.url()).pathname.slice(-36);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByRole("combobox").first().selectOption(first);
  await page.waitForURL(({ searchParams: of }) => of.get("a") === first && of.get("b") === second);
  await page
    .getByRole("button", { name: /^arrive/ })
    .first()
    .waitFor();
  await page.getByRole("heading", { name: "Task by task" }).waitFor();
  await page.getByText("Cancelled", { exact: true }).first().waitFor();

  function statusOf(word: string) {
    return page.getByRole("main").getByText(word, { exact: true }).first();
  }
});

test("a paused execution says who has paused it, and what comes to its end all the same", async () => {
  const ada = await world.service.operator();
  const gate = join(world.service.folder, "gate");
  const { id } = await ada.api.start({
    definition: {
      document: { dsl: "1.0.3", namespace: "test", name: "gated", version: "1.0.0" },
      do: [
        { hold: { run: { shell: { command: `until [ -e '${gate}' ]; do sleep 0.05; done` } } } },
        { after: { set: { x: 1 } } },
      ],
    },
  });
  await ada.api.reached(id, "running");
  const page = await world.open(ada);
  await page.goto(`/executions/${id}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused by Ada").waitFor();
  await page.getByText("hold is still under way and comes to its end. Nothing new begins.").waitFor();
  writeFileSync(gate, "");
  await page.getByText("Nothing of it runs, and nothing new begins until it is resumed.").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("main").getByText("Succeeded", { exact: true }).first().waitFor();
  expect(await page.getByText("Paused by Ada").count()).toBe(0);
});
