// Two tenants at the same time, in two browsers: nothing of one is ever seen by the other.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { PASSWORD } from "./support/service";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

function definition(name: string): string {
  return `
document: { dsl: '1.0.3', namespace: ${name}, name: ${name}-secret-plan, version: '1.0.0' }
do:
  - rest: { wait: { hours: 1 } }
`;
}

test("each sees the own list, monitor, notices, palette and pages, and nothing of the other", async () => {
  const { api } = await world.service.operator();
  const [north, south] = await Promise.all(
    ["north", "south"].map(async (slug) => {
      const person = await api.addPerson(slug, "admin", PASSWORD, await api.addTenant(slug, slug));
      const workflow = await person.api.register(definition(slug));
      const page = await world.open(person, { expected: /status of 404/ });
      await page.goto("/executions");
      await page.getByText("Nothing has been executed yet").waitFor();
      return { slug, person, workflow, page };
    }),
  );
  if (!north || !south) throw new Error("there are two");

  // The south starts something in its page, and cancels it; then the north does the same.
  const ofSouth = await runAndCancel(south.page, south.slug);
  await south.page.getByText("south/south-secret-plan was cancelled").waitFor();
  const ofNorth = await runAndCancel(north.page, north.slug);
  await north.page.getByText("north/north-secret-plan was cancelled").waitFor();
  const running = await north.person.api.start({ workflow_id: north.workflow.id });

  // What belongs to the north has arrived there; the south had every chance to get it too.
  await north.page.getByRole("button", { name: "1 execution is running" }).waitFor();
  for (const [own, other] of [[north, south] as const, [south, north] as const]) {
    const { page } = own;
    await page.goto("/executions");
    await page
      .getByRole("link", { name: `${own.slug}-secret-plan` })
      .first()
      .waitFor();
    for (const place of ["/", "/executions", "/workflows", "/queue"]) {
      await page.goto(place);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator("[aria-label=Loading]").first().waitFor({ state: "detached" });
      expect(await page.content(), `${place} of ${own.slug}`).not.toContain(`${other.slug}-secret`);
    }
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/Go to a page/).fill("secret-plan");
    await page
      .getByRole("option", { name: `${own.slug}/${own.slug}-secret-plan` })
      .first()
      .waitFor();
    expect(await page.getByRole("dialog").textContent()).not.toContain(other.slug);
    await page.keyboard.press("Escape");
  }
  expect(await south.page.getByRole("button", { name: /running$/ }).count(), "the monitor of the south").toBe(0);

  for (const path of [`/executions/${ofNorth}`, `/executions/${running.id}`, `/workflows/${north.workflow.id}`]) {
    await south.page.goto(path);
    await south.page.getByRole("alert").getByText("There is nothing with this id").first().waitFor();
    expect(await south.page.content(), path).not.toContain("north-secret-plan");
  }
  expect(ofSouth).not.toBe(ofNorth);
});

/** Starts the only workflow there is and cancels it; the id of the execution. */
async function runAndCancel(page: Page, slug: string): Promise<string> {
  await page.getByRole("link", { name: "Workflows" }).first().click();
  await page.getByRole("link", { name: "Run" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await page.getByRole("heading", { name: `${slug}-secret-plan` }).waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Run again" }).waitFor();
  return new URL(page.url()).pathname.slice(-36);
}
