// Everything by keyboard: no pointer is touched in this file, and where one is can always be seen.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { fill } from "./support/example-data";
import { settle } from "./support/places";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

test("a workflow is found, run, watched and cancelled without a pointer", async () => {
  const page = await world.open((await fill(world.service)).operator);
  await page.goto("/");
  await settle(page);
  await page.keyboard.press("Tab");
  expect(await focused(page)).toContain("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");

  await keys(page, "g", "w");
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  await settle(page);
  await keys(page, "/");
  await page.keyboard.type("long");
  await page.getByText("hello", { exact: true }).first().waitFor({ state: "detached" });
  await tabTo(page, /^Run$/);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByLabel("seconds").waitFor();
  await tabTo(page, /seconds/);
  await page.keyboard.type("3600");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  const started = new URL(page.url()).pathname;
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByText("Waiting", { exact: true }).first().waitFor();

  // Tabs are one stop; the arrows go from one to the next.
  await tabTo(page, /^Graph$/);
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/tab=timeline/);
  await page.keyboard.press("End");
  await page.waitForURL(/tab=usage/);

  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("executions");
  await page.getByRole("option", { selected: true }).getByText("Executions", { exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Executions" }).waitFor();
  await settle(page);
  await keys(page, "j", "x");
  await page.getByRole("toolbar", { name: "Selected executions" }).getByText("1 selected").waitFor();
  await keys(page, "Escape", "Enter");
  await page.waitForURL((url) => url.pathname === started);
  await page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  await tabTo(page, /^Cancel$/);
  await page.keyboard.press("Enter");
  await page.getByRole("alertdialog").waitFor();
  await tabTo(page, /^Cancel the execution$/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Run again" }).waitFor();

  await keys(page, "?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  // Where one is, is seen: every stop on the way through the busiest page.
  await keys(page, "g", "e");
  await page.getByRole("heading", { name: "Executions" }).waitFor();
  await settle(page);
  const unseen: string[] = [];
  for (let stop = 0; stop < 30; stop += 1) {
    await page.keyboard.press("Tab");
    if (!(await isFocusSeen(page))) unseen.push(await focused(page));
  }
  expect(unseen).toEqual([]);
});

test("whoever closes a dialog is where they were before", async () => {
  const page = await world.open((await fill(world.service)).operator);
  const closed = async () => {
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog], [role=alertdialog]").first().waitFor({ state: "detached" });
  };
  await page.goto("/admin/users");
  await settle(page);
  await tabTo(page, /^Add a person$/);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Add a person" }).waitFor();
  await closed();
  await expect.poll(() => focused(page)).toBe("Add a person");

  // What a menu has opened belongs to what has opened the menu.
  await tabTo(page, /^Actions for Barbara$/);
  await page.keyboard.press("Enter");
  await page.getByRole("menu").waitFor();
  for (const [key, item] of [
    ["End", "Remove"],
    ["ArrowUp", "Deactivate"],
    ["ArrowUp", "Reset password"],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => focused(page)).toBe(item);
  }
  await page.keyboard.press("Enter");
  await page.getByRole("alertdialog", { name: /Reset the password/ }).waitFor();
  await closed();
  await expect.poll(() => focused(page)).toBe("Actions for Barbara");

  for (const [key, name] of [
    ["Control+k", "Search"],
    ["?", "Keyboard shortcuts"],
  ] as const) {
    await page.keyboard.press(key);
    await page.getByRole("dialog", { name }).waitFor();
    await closed();
    await expect.poll(() => focused(page)).toBe("Actions for Barbara");
  }
});

async function keys(page: Page, ...names: string[]): Promise<void> {
  for (const name of names) await page.keyboard.press(name);
}

/** What has the focus, as it is called. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return "";
    const label = "labels" in element ? (element as HTMLInputElement).labels?.[0]?.textContent : undefined;
    return (element.getAttribute("aria-label") ?? label ?? element.textContent ?? "").trim();
  });
}

async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  while (passed.length < 80) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    if (name.test(here)) return;
    passed.push(here);
  }
  throw new Error(`no way by Tab to ${name}, only ${JSON.stringify(passed)}`);
}

/** Whether the focused element looks different from how it looks without the focus. */
function isFocusSeen(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return true;
    // A link that covers a whole row has its outline there.
    for (const part of [null, "::after"]) {
      const { outlineStyle, outlineWidth } = getComputedStyle(element, part);
      if (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1) return true;
    }
    const { boxShadow, borderColor } = getComputedStyle(element);
    const look = `${boxShadow} ${borderColor}`;
    element.blur();
    const { boxShadow: shadow, borderColor: color } = getComputedStyle(element);
    element.focus({ preventScroll: true });
    return look !== `${shadow} ${color}`;
  });
}
