// Something has failed: from its page alone one gets to what was wrong, and mends it.
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

function workflow(name: string, rest: string): string {
  return `document: { dsl: '1.0.3', namespace: test, name: ${name}, version: '1.0.0' }\n${rest}`;
}

const ORDER = workflow(
  "order",
  `input:
  schema:
    document:
      type: object
      required: [customer, amount]
      properties:
        customer: { type: string, minLength: 3 }
        amount: { type: integer, minimum: 1, maximum: 100 }
do:
  - keep: { set: { kept: '\${ .customer }' } }
`,
);

test("an input that was refused is given again, corrected, and the two are compared from the list", async () => {
  const ada = await world.service.operator();
  const { id: workflowId } = await ada.api.register(ORDER);
  const { id: first } = await ada.api.start({ workflow_id: workflowId, input: { customer: "Ada", amount: 500 } });
  await ada.api.reached(first, "failed");
  const page = await world.open(ada);
  await page.goto(`/executions/${first}`);
  await page.getByRole("alert").getByRole("link", { name: "Run with other input" }).click();
  const dialog = page.getByRole("dialog", { name: "Run test/order" });
  expect(await dialog.getByLabel(/^customer/).inputValue()).toBe("Ada");
  expect(await dialog.getByLabel(/^amount/).inputValue()).toBe("500");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await dialog.getByText("Please stay within 1 – 100.").waitFor();
  await dialog.getByLabel(/^amount/).fill("50");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/executions/") && !url.pathname.endsWith(first));
  const second = new URL(page.url()).pathname.slice(-36);
  await page.getByRole("main").getByText("Succeeded", { exact: true }).first().waitFor();
  expect((await ada.api.execution(second)).input).toEqual({ customer: "Ada", amount: 50 });

  await page.goto("/executions?workflow=test/order");
  await page.getByRole("checkbox", { name: `Select ${second.slice(-8)}` }).check();
  await page.getByRole("checkbox", { name: `Select ${first.slice(-8)}` }).check();
  await page.getByRole("toolbar", { name: "Selected executions" }).getByRole("link", { name: "Compare" }).click();
  await page.waitForURL(({ searchParams: of }) => of.get("a") === first && of.get("b") === second);
});

test("a failure leads to the child that failed, to its task, and to the editor of its workflow", async () => {
  const ada = await world.service.operator();
  const child = await ada.api.register(
    workflow("child", "do:\n  - break: { run: { shell: { command: 'echo deep trouble >&2; exit 7' } } }\n"),
  );
  const parent = await ada.api.register(
    workflow(
      "parent",
      "do:\n  - delegate: { run: { workflow: { namespace: test, name: child, version: '1.0.0' } } }\n",
    ),
  );
  const { id } = await ada.api.start({ workflow_id: parent.id });
  await ada.api.reached(id, "failed");
  const page = await world.open(ada);
  await page.goto(`/executions/${id}`);
  await page.getByRole("button", { name: "Show the task delegate" }).waitFor();
  await page.getByRole("link", { name: "Open the execution that failed" }).click();
  await page.getByRole("heading", { name: "test/child" }).waitFor();
  await page.getByRole("button", { name: "Show the task break" }).click();
  await page.getByRole("region", { name: "Task" }).getByText("echo deep trouble >&2; exit 7").waitFor();
  await page.getByRole("link", { name: "Edit the workflow" }).click();
  await page.waitForURL(`**/workflows/new?from=${child.id}`);
  await page.getByText("1.0.1").waitFor();
});

test("what was retried from a list of failures is one click away", async () => {
  const ada = await world.service.operator();
  const broken = workflow(
    "broken",
    "do:\n  - break: { raise: { error: { type: https://example.org/broken, status: 500 } } }\n",
  );
  const { id: workflowId } = await ada.api.register(broken);
  const { id } = await ada.api.start({ workflow_id: workflowId });
  await ada.api.reached(id, "failed");
  const page = await world.open(ada);
  await page.goto("/executions?status=failed&workflow=test/broken");
  await page.getByRole("checkbox", { name: `Select ${id.slice(-8)}` }).check();
  await page.getByRole("button", { name: "Retry 1" }).click();
  await page.getByText("1 retried, as a new execution").waitFor();
  await page.getByRole("button", { name: "Show them" }).click();
  await page.waitForURL((url) => url.searchParams.get("workflow") === "test/broken" && !url.searchParams.has("status"));
});

test("what somebody has retried says so to the others at once, who do not do it again by mistake", async () => {
  const ada = await world.service.operator();
  const halting = workflow("halting", "do:\n  - rest: { wait: { hours: 1 } }\n");
  const failing = workflow(
    "failing",
    "do:\n  - delegate: { run: { workflow: { namespace: test, name: halting, version: '1.0.0' } } }\n",
  );
  await ada.api.register(halting);
  const { id: workflowId } = await ada.api.register(failing);
  const { id } = await ada.api.start({ workflow_id: workflowId });
  await ada.api.reached(id, "waiting");
  await ada.api.steer(id, "cancel");
  await ada.api.reached(id, "cancelled");
  const [page, list] = [await world.open(ada), await world.open(ada)];
  await page.goto(`/executions/${id}`);
  await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
  await list.goto(`/executions?parent=${id}&continued=false`);
  await list.getByRole("link", { name: `Children of ${id.slice(-8)}` }).waitFor();
  await list.getByRole("link", { name: /test\/halting/ }).waitFor();

  const { id: first } = await ada.api.retry(id);
  const note = page.getByRole("region", { name: "Retry" });
  await note.getByText("Waiting").waitFor();
  await list.getByText("No execution matches").waitFor();

  await page.getByRole("button", { name: "Retry", exact: true }).click();
  const question = page.getByRole("alertdialog", { name: "Retry once more?" });
  await question.getByText(first.slice(-8)).waitFor();
  await question.getByRole("button", { name: "Not now" }).click();
  await note.getByRole("link", { name: `Retried as ${first.slice(-8)}` }).click();
  await page.waitForURL(`**/executions/${first}`);
  await page.getByText("Retry of").waitFor();
  await page.getByRole("link", { name: id.slice(-8), exact: true }).click();

  await page.getByText("Children", { exact: true }).waitFor();
  await list.goto(`/executions?workflow=test/failing`);
  await list.getByRole("checkbox", { name: `Select ${id.slice(-8)}` }).check();
  const tools = list.getByRole("toolbar", { name: "Selected executions" });
  await tools.getByText("1 has been retried already and is passed over").waitFor();
  expect(await tools.getByRole("button", { name: /^Retry/ }).count()).toBe(0);
});
