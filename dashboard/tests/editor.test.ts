// Writing a workflow: problems with their places as one types, the graph beside it, and a question before it is lost.
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

const BROKEN = `document:
  dsl: '1.0.3'
  namespace: test
  name: broken
  version: '1.0.0'
do:
  - ask:
      call: agent
      with: { agent: summarizer, promt: Hello }
  - after:
      set:
        text: \${ .a + }
`;

test("problems name line and column, lead to their place, and go when they are mended", async () => {
  const page = await world.open(await world.service.operator());
  await page.goto("/workflows/new");
  const editor = page.getByRole("textbox", { name: "Definition of the workflow" });
  await page.getByRole("status").filter({ hasText: "No problems" }).waitFor();
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(BROKEN);
  await page.getByRole("status").filter({ hasText: "2 problems" }).waitFor();
  const problems = page.getByRole("region", { name: "Problems" }).getByRole("button");
  expect(await problems.allTextContents()).toEqual([
    expect.stringMatching(/no property 'promt'.*Did you mean 'prompt'.*9:34$/),
    expect.stringMatching(/'\.a \+' is no valid expression.*12:15$/),
  ]);
  expect(await page.getByRole("button", { name: "Register" }).isDisabled()).toBe(true);
  // The graph shows what is there all the same.
  await page.locator(".react-flow__node").filter({ hasText: "after" }).first().waitFor();

  // The place of the second problem is where one types next.
  await problems.nth(1).click();
  await page.keyboard.press("End");
  for (let index = 0; index < "+ }".length; index += 1) await page.keyboard.press("Backspace");
  await page.keyboard.type("}");
  await page.getByRole("status").filter({ hasText: "One problem" }).waitFor();
  await problems.first().click();
  for (let index = 0; index < "prom".length; index += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.type("p");
  await page.getByRole("status").filter({ hasText: "No problems" }).waitFor();
  expect(await problems.count()).toBe(0);

  await page.getByRole("link", { name: "Queue" }).first().click();
  await page.getByRole("alertdialog", { name: "Leave the editor?" }).getByRole("button", { name: "Not now" }).click();
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("heading", { name: "test/broken" }).waitFor();

  // A registered version is not written over: the next one is proposed.
  await page.getByRole("link", { name: "New version" }).click();
  await page.getByText("1.0.1").waitFor();
});

test("somebody who does not know the language writes a workflow with what is offered", async () => {
  const page = await world.open(await world.service.operator());
  await page.goto("/workflows/new");
  const offered = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
  const take = (name: string) => offered.filter({ hasText: new RegExp(`^${name}$`) }).click();
  await page.getByRole("status").filter({ hasText: "No problems" }).waitFor();
  await page.getByRole("textbox", { name: "Definition of the workflow" }).click();
  await page.keyboard.press("Control+End");
  // What belongs to a task begins below its name, without a thought of how far.
  await page.keyboard.type("  - digest:\n");
  await page.keyboard.press("Control+Space");
  await take("call");
  await page.keyboard.press("Control+Space");
  await take("agent");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  await take("with");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  await take("agent");
  await page.keyboard.press("Control+Space");
  await take("summarizer");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  await take("prompt");
  await page.keyboard.type("Hello");
  await page.getByRole("status").filter({ hasText: "No problems" }).waitFor();
  await page.locator(".react-flow__node").filter({ hasText: "agent summarizer" }).first().waitFor();
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("heading", { name: "my/first-workflow" }).waitFor();
});
