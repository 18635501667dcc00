// The first minutes of a new user: from the printed link to the first result.
import { expect, test } from "vitest";
import { PASSWORD } from "./support/service";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

test("somebody new signs in, writes a workflow, runs it and sees what came out", async () => {
  const page = await world.open(undefined);
  await page.goto(await world.service.firstLink());
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("New password").fill("short");
  await page.getByRole("button", { name: "Set the password and begin" }).click();
  await page.getByText("At least 10 characters.").waitFor();
  expect(page.url(), "the token does not stay in the address").not.toContain("token");
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set the password and begin" }).click();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await page.getByText("Nothing has been executed yet").waitFor();

  await page.getByRole("link", { name: "Begin with an example" }).click();
  await page.getByText("name: review-panel").waitFor();
  await page.getByRole("button", { name: "Examples" }).click();
  await page.getByRole("menuitem", { name: "From scratch" }).click();
  await page.getByText("name: first-workflow").waitFor();
  await page.getByRole("status").filter({ hasText: "No problems" }).waitFor();
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("heading", { name: "my/first-workflow" }).waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Grace");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  await page.getByRole("button", { name: "Run again" }).waitFor();
  await page.getByRole("tab", { name: "Output" }).click();
  await page.getByText("Hello, Grace!").waitFor();
  expect(await page.getByText("my/first-workflow succeeded").count(), "who looks at it is not told").toBe(0);

  await page.getByRole("button", { name: "Preferences" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("E-mail address").fill("ada@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("main").getByText("my/first-workflow").waitFor();
});
