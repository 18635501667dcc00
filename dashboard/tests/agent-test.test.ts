// An agent's answer streams in, goes on while nobody looks, and is found again by whoever comes back.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

test("a test goes on while one is elsewhere, and its answer is whole in the end", async () => {
  const ada = await world.service.operator();
  // It answers the first half, and then whatever is written to the pipes, one after the other.
  const [pipe = "", last = ""] = ["go-on", "come-to-an-end"].map((name) => join(world.service.folder, name));
  execFileSync("mkfifo", [pipe, last]);
  const agent = await ada.api.createAgent({
    name: "Slow writer",
    adapter: "command",
    parameters: {
      program: "sh",
      arguments: ["-c", `echo "First half."; cat "${pipe}" "${last}"; echo "Second half."`],
    },
  });
  const page = await world.open(ada);
  await page.goto("/agents");
  await page.getByRole("link", { name: "Slow writer" }).click();
  await page.getByLabel("Test input").fill("Write something.");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText("Test started").waitFor();
  await page.getByText(/^First half\.\s*$/).waitFor();
  await writeFile(pipe, "Between.\n");
  const soFar = /^First half\.\s+Between\.\s*$/;
  await page.getByText(soFar).waitFor();

  await page.getByRole("link", { name: "Queue" }).first().click();
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  await page.getByRole("link", { name: "Agents" }).first().click();
  await page.getByRole("link", { name: "Slow writer" }).click();
  // Somebody else looks at it only now, and sees what has gone by, too.
  const other = await world.open(ada);
  await other.goto(page.url());
  await other.getByText(soFar).waitFor();
  await page.getByText(soFar).waitFor();

  await page.getByRole("link", { name: "Queue" }).first().click();
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  await writeFile(last, "Nearly.\n");
  // The notice does not stay for long: it is taken at once.
  await page.getByRole("listitem").filter({ hasText: "Test finished" }).getByRole("button", { name: "Open" }).click();
  await page.waitForURL(/\/executions\//);
  const whole = /^First half\.\s+Between\.\s+Nearly\.\s+Second half\.\s*$/;
  await page.getByText(whole).waitFor();
  await other.getByText(whole).waitFor();
  expect((await ada.api.execution(new URL(page.url()).pathname.slice(-36))).agent_id).toBe(agent.id);
});

test("whoever leaves before a test is accepted stays where they have gone", async () => {
  const page = await world.open(await world.service.operator());
  let accept = () => {};
  const isLeft = new Promise<void>((resolve) => {
    accept = resolve;
  });
  await page.route(/\/agents\/[^/]+\/test$/, async (route) => {
    await isLeft;
    await route.continue();
  });
  await page.goto("/agents");
  await page.getByRole("link", { name: /summarizer/i }).click();
  await page.getByLabel("Test input").fill("Actors keep state.");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("link", { name: "Queue" }).first().click();
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  accept();
  await page.getByText("Test finished").waitFor();
  const { pathname, search } = new URL(page.url());
  expect([pathname, search]).toEqual(["/queue", ""]);
});

test("an input that is too long is counted and not sent", async () => {
  const page = await world.open(await world.service.operator());
  await page.goto("/agents");
  await page.getByRole("link", { name: /summarizer/i }).click();
  const run = page.getByRole("button", { name: "Run", exact: true });
  await page.getByLabel("Test input").fill("字".repeat(5_001));
  await page.getByText("5,001 / 5,000").waitFor();
  expect(await run.isDisabled()).toBe(true);
  await page.getByLabel("Test input").fill("字".repeat(5_000));
  await page.getByText("5,000 / 5,000").waitFor();
  expect(await run.isEnabled()).toBe(true);
});
