// Who waits is put first and given a label, by whoever may.
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile({ settings: { "engine.max_running": "1" } });

function holding(name: string) {
  return {
    definition: {
      document: { dsl: "1.0.3", namespace: "test", name, version: "1.0.0" },
      do: [{ hold: { run: { shell: { command: "sleep 600" } } } }],
    },
  };
}

test("somebody who waits goes first from now on, and is found by a label", async () => {
  const ada = await world.service.operator();
  const { id: running } = await ada.api.start(holding("running"));
  await ada.api.reached(running, "running");
  const { id: first } = await ada.api.start(holding("first"));
  const { id: last } = await ada.api.start(holding("last"));

  const page = await world.open(ada);
  await page.goto("/queue");
  const waiting = page.getByRole("region", { name: "Next to start, in this order" }).getByRole("listitem");
  await expect
    .poll(() => waiting.allTextContents())
    .toEqual([expect.stringContaining("test/first"), expect.stringContaining("test/last")]);
  await page.getByRole("button", { name: `Change priority and labels of ${last.slice(-8)}` }).click();
  const dialog = page.getByRole("dialog", { name: "Change priority and labels" });
  await dialog.getByLabel("Priority").selectOption("9");
  await dialog.getByLabel("Name of label 1").fill("team");
  await dialog.getByLabel("Value of label 1").fill("core, and others");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("The execution has been changed").waitFor();
  await expect
    .poll(() => waiting.allTextContents())
    .toEqual([expect.stringContaining("test/last"), expect.stringContaining("test/first")]);

  // What it is called is refused at the field, and nothing is sent.
  await page.goto(`/executions/${last}`);
  await page.getByText("core, and others").waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Change priority and labels" }).click();
  await dialog.getByRole("button", { name: "Add a label" }).click();
  await dialog.getByLabel("Name of label 2").fill("team");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("There is a label of this name already.").waitFor();
  await dialog.getByLabel("Name of label 2").fill("ticket");
  await dialog.getByLabel("Value of label 2").fill("42");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("ticket", { exact: true }).waitFor();
  const changed = await ada.api.execution(last);
  expect([changed.priority, changed.labels]).toEqual([9, { team: "core, and others", ticket: "42" }]);

  // What runs has its turn behind it: only its labels can be changed.
  await page.goto(`/executions/${running}`);
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Change labels" }).click();
  const labels = page.getByRole("dialog", { name: "Change labels" });
  expect(await labels.getByLabel("Priority").count()).toBe(0);

  const vera = await ada.api.addPerson("Vera", "viewer", "a long enough password");
  const other = await world.open(vera);
  await other.goto("/queue");
  await other.getByRole("link", { name: "test/first" }).waitFor();
  expect(await other.getByRole("button", { name: /^Change priority/ }).count()).toBe(0);
  for (const id of [first, last, running]) await ada.api.steer(id, "cancel");
});
