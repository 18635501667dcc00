// Something is done to hundreds at once: to all that match, also to those that nobody has scrolled to yet.
import { expect, test } from "vitest";
import { PATIENCE_MS, worldOfFile } from "./support/world";

const world = worldOfFile({ settings: { "rate_limits.per_principal": "0" } });

const WAITING = `
document: { dsl: '1.0.3', namespace: test, name: waiting, version: '1.0.0' }
do:
  - rest: { wait: { hours: 1 } }
`;
/** More than a list reads ahead. */
const EXECUTIONS = 400;

test("all that match are cancelled, while they leave the list that they were chosen from", async () => {
  const ada = await world.service.operator();
  const { id: workflow } = await ada.api.register(WAITING);
  let last = "";
  for (let count = 0; count < EXECUTIONS; count += 1) last = (await ada.api.start({ workflow_id: workflow })).id;
  await ada.api.reached(last, "waiting");
  const page = await world.open(ada);
  await page.goto("/executions?status=pending,running,waiting");
  await page.getByText(last.slice(-8)).waitFor();
  const toolbar = page.getByRole("toolbar", { name: "Selected executions" });
  const all = toolbar.getByRole("button", { name: "Select all that match" });
  // More of the list comes in for a while.
  await expect
    .poll(async () => {
      if (!(await all.isVisible())) await page.getByRole("checkbox", { name: "Select all that are shown" }).click();
      return all.isVisible();
    })
    .toBe(true);
  await all.click();
  await toolbar.getByRole("button", { name: `Cancel ${EXECUTIONS}` }).click();
  await page
    .getByRole("alertdialog")
    .getByRole("button", { name: `Cancel ${EXECUTIONS}` })
    .click();
  // One request each, a few at a time.
  await page.getByText("No execution matches").waitFor({ timeout: 5 * PATIENCE_MS });
  const { data } = await ada.api.client.GET("/api/v1/executions", {
    params: { query: { status: ["cancelled"], page: 1, size: 1 } },
  });
  expect(data && "total" in data && data.total).toBe(EXECUTIONS);
});
