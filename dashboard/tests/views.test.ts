// Saved views: kept by the service, so they are there in every browser of their owner, and shared ones for colleagues.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Person } from "./support/api";
import { PASSWORD } from "./support/service";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

const NOTHING = `
document: { dsl: '1.0.3', namespace: test, name: nothing, version: '1.0.0' }
do:
  - rest: { set: { done: true } }
`;

/** Something to look at: an execution that has succeeded. */
async function prepared(): Promise<Person> {
  const ada = await world.service.operator();
  const workflow = await ada.api.register(NOTHING);
  const { id } = await ada.api.start({ workflow_id: workflow.id });
  await ada.api.reached(id, "succeeded");
  return ada;
}

test("a view is saved, seen in another browser, shared, changed and removed", async () => {
  const ada = await prepared();
  const first = await world.open(ada);
  await first.goto("/executions?status=failed&since=24h");
  await first.getByText("No execution matches").waitFor();
  await choose(first, "Save what I see");
  await first.getByRole("dialog").waitFor();
  await first.keyboard.type("Failed today");
  await first.keyboard.press("Enter");
  await menuOf(first, "Saved views: Failed today").waitFor();
  const link = first.url();
  expect(link, "a link says all that is seen").toMatch(/status=failed.*since=24h.*columns=.*view=[0-9a-f-]{36}/);

  // A fresh browser, where nothing was ever saved.
  const second = await world.open(ada);
  await second.goto("/executions");
  await rowOf(second).waitFor();
  await choose(second, /^Failed today/);
  await second.getByText("No execution matches").waitFor();
  await menuOf(second, "Saved views: Failed today").waitFor();
  expect(new URL(second.url()).search).toBe(new URL(link).search);

  // Something else is looked at, and becomes the view.
  await second.getByRole("button", { name: "Succeeded", exact: true }).click();
  await rowOf(second).waitFor();
  await menuOf(second, "Saved views: Failed today (changed)").waitFor();
  await choose(second, "Update to what I see");
  await menuOf(second, "Saved views: Failed today").waitFor();
  await choose(second, "Rename");
  await second.getByLabel("Name of the view").fill("Ended today");
  await second.getByRole("button", { name: "Save", exact: true }).click();
  await menuOf(second, "Saved views: Ended today").waitFor();
  await choose(second, "Share");
  await second.getByText("Ended today was saved").first().waitFor();

  // The first browser sees it when it is looked at again; nothing was pushed.
  await first.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await menuOf(first, "Saved views: Ended today (changed)").waitFor();

  // A colleague finds it, and cannot change it. The link shows the same, though the executions are others.
  const bob = await world.open(await ada.api.addPerson("Bob", "member", PASSWORD));
  await bob.goto("/executions");
  await choose(bob, /^Ended today/);
  await menuOf(bob, "Saved views: Ended today").waitFor();
  expect(new URL(bob.url()).search).toBe(new URL(second.url()).search);
  await menuOf(bob, /^Saved views/).click();
  await bob.getByRole("menuitem", { name: "Save what I see" }).waitFor();
  for (const refused of ["Rename", "Remove", "Do not share any more"]) {
    expect(await bob.getByRole("menuitem", { name: refused }).count(), refused).toBe(0);
  }

  await choose(second, "Remove");
  await second.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await menuOf(second, "Saved views").waitFor();
  await rowOf(second).waitFor();
  expect(second.url(), "what is seen stays").toMatch(/status=.*succeeded/);
  await bob.reload();
  await menuOf(bob, "Saved views").waitFor();
});

test("what a browser had saved before is taken over when one wants it, by keyboard and on a telephone", async () => {
  const ada = await prepared();
  const page = await world.open(ada, { viewport: { width: 360, height: 740 } });
  await page.goto("/executions");
  await rowOf(page).waitFor();
  await page.evaluate(() => {
    const views = [
      { name: "Slow ones of a team with a rather long name", search: { since: "7d", label: "team=core" } },
      { name: "Of agents", search: { type: "agent_test" } },
    ];
    localStorage.setItem("callboard.views", JSON.stringify(views));
  });
  await page.reload();
  const offer = page.getByRole("region", { name: "Only in this browser" });
  await offer.getByText("2 views").waitFor();
  await offer.getByRole("button", { name: "Not now" }).click();
  await offer.waitFor({ state: "detached" });
  await page.reload();
  await rowOf(page).waitFor();
  expect(await offer.count(), "it is asked once").toBe(0);

  await menuOf(page, "Saved views").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Of agents" }).waitFor();
  expect(await isWithin(page), "the menu is on the page").toBe(true);
  await page.keyboard.press("End");
  for (let tries = 0; tries < 10; tries += 1) {
    if (await page.getByRole("menuitem", { name: "Take over" }).evaluate((item) => item === document.activeElement))
      break;
    await page.keyboard.press("ArrowUp");
  }
  await page.keyboard.press("Enter");
  await page.getByText("2 views were taken over").waitFor();
  expect(await page.evaluate(() => localStorage.getItem("callboard.views"))).toBeNull();

  const elsewhere = await world.open(ada);
  await elsewhere.goto("/executions");
  await choose(elsewhere, /^Slow ones of a team/);
  await elsewhere.waitForURL(/label=team%3Dcore&since=7d/);
});

function rowOf(page: Page) {
  return page.getByRole("row").filter({ hasText: "test/nothing" }).first();
}

function menuOf(page: Page, name: string | RegExp) {
  return page.getByRole("button", { name, exact: true });
}

async function choose(page: Page, item: string | RegExp): Promise<void> {
  await menuOf(page, /^Saved views/).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** Whether the open menu is within the page. */
function isWithin(page: Page): Promise<boolean> {
  return page.getByRole("menu").evaluate((menu) => {
    const { left, right, top, bottom } = menu.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= window.innerWidth && bottom <= window.innerHeight;
  });
}

test("what comes in while one looks has the columns that only a reading tells", async () => {
  const ada = await prepared();
  const page = await world.open(ada);
  await page.goto("/executions?columns=owner,labels");
  await page.getByRole("row").nth(1).waitFor();
  await ada.api.start({ definition: NOTHING, labels: { team: "late-comers" } });
  const row = page.getByRole("row").filter({ hasText: "team=late-comers" });
  await row.getByText("Ada", { exact: true }).waitFor();
  expect(await row.getAttribute("aria-rowindex")).toBe("2");
});
