// Two tenants at the same time, in two browsers: nothing of one is ever seen by the other.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Api } from "./support/api";
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
  const ofSouth = await runAndCancel(south.page, south.slug, south.person.api);
  await south.page.getByText("south/south-secret-plan was cancelled").waitFor();
  const ofNorth = await runAndCancel(north.page, north.slug, north.person.api);
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

test("an operator who switches between tenants takes nothing along", async () => {
  const ada = await world.service.operator();
  const east = await ada.api.addPerson("east", "admin", PASSWORD, await ada.api.addTenant("East", "east"));
  const [own, others] = [await ada.api.register(definition("home")), await east.api.register(definition("east"))];
  const page = await world.open(ada);
  const sockets: { tenant: string | null; isOpen: boolean }[] = [];
  page.on("websocket", (socket) => {
    const one = { tenant: new URL(socket.url()).searchParams.get("tenant_id"), isOpen: true };
    sockets.push(one);
    socket.on("close", () => {
      one.isOpen = false;
    });
  });
  const asked: { path: string; tenant: string | undefined }[] = [];
  page.on("request", (request) =>
    asked.push({ path: new URL(request.url()).pathname, tenant: request.headers()["x-tenant-id"] }),
  );

  // At home: something runs, its start is still told, its page and its log are open, and its end is waited for.
  await page.goto(`/workflows/${own.id}?run=1`);
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  const running = new URL(page.url()).pathname.slice(-36);
  await page.getByRole("tab", { name: "Logs" }).click();
  await page.getByText("Execution started").waitFor();
  await page.getByRole("button", { name: "1 execution is running" }).waitFor();

  asked.length = 0;
  await lookAt(page, "East");
  await page.getByText("You are looking at").waitFor();
  const { pathname, search } = new URL(page.url());
  expect([pathname, search]).toEqual(["/", ""]);
  await page.getByText("Nothing has been executed yet").waitFor();
  await expect.poll(() => sockets.map((one) => one.isOpen)).toEqual([false, true]);
  expect(sockets[1]?.tenant).toBe(east.user.tenant_id);
  expect(await page.getByText("Execution started").count(), "notices of the own tenant").toBe(0);
  expect(await page.getByRole("button", { name: /running$/ }).count(), "the monitor of the own tenant").toBe(0);

  // What happens at home is neither told nor shown; what happens there is.
  await ada.api.steer(running, "cancel");
  const there = (await east.api.start({ workflow_id: others.id })).id;
  await page.getByText(there.slice(-8)).first().waitFor();
  for (const name of ["Executions", "Workflows", "Queue"]) {
    await page.getByRole("navigation").getByRole("link", { name }).first().click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.locator("[aria-label=Loading]").first().waitFor({ state: "detached" });
    expect(await page.content(), name).not.toContain("home-secret");
  }
  expect(await page.getByText("was cancelled").count()).toBe(0);
  expect(await page.title()).not.toContain("home");
  const astray = asked.filter(
    ({ path, tenant }) =>
      path.startsWith("/api/") &&
      !path.startsWith("/api/v1/auth/") &&
      tenant === east.user.tenant_id &&
      path.includes(running),
  );
  expect(astray, "what belongs to one tenant was asked of the other").toEqual([]);

  // And back: the own things, and nothing of theirs.
  await page.getByRole("button", { name: "Back to your own" }).click();
  await page.getByText("You are looking at").waitFor({ state: "detached" });
  await page.getByText(running.slice(-8)).first().waitFor();
  expect(await page.content()).not.toContain("east-secret");
  await expect.poll(() => sockets.map((one) => one.isOpen)).toEqual([false, false, true]);
  expect(sockets[2]?.tenant).toBeNull();
});

test("when somebody else signs in in one tab, the other tabs forget what the first one has seen", async () => {
  const { api } = await world.service.operator();
  const [ben, cleo] = await Promise.all(["Ben", "Cleo"].map((name) => api.addPerson(name, "member", PASSWORD)));
  if (!ben || !cleo) throw new Error("there are two");
  const secret = (await ben.api.start({ definition: definition("ben") })).id;
  const first = await world.open(ben, { expected: /status of 401|WebSocket/ });
  const second = await first.context().newPage();
  await Promise.all([first, second].map((page) => page.goto("/executions")));
  await second.getByText(secret.slice(-8)).first().waitFor();

  await first.getByRole("button", { name: "Preferences" }).first().click();
  await first.getByRole("menuitem", { name: "Sign out" }).click();
  await first.getByLabel("E-mail address").fill(cleo.email);
  await first.getByLabel("Password").fill(PASSWORD);
  await first.getByRole("button", { name: "Sign in", exact: true }).click();
  await first.getByText("You have not started anything yet").waitFor();

  await second.getByRole("link", { name: "Queue" }).first().click();
  await second.getByRole("heading", { level: 1, name: "Queue" }).waitFor();
  await second.getByRole("link", { name: "Executions" }).first().click();
  await second.getByText("You have not started anything yet").waitFor();
  expect(await second.content()).not.toContain("ben-secret");
});

async function lookAt(page: Page, tenant: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/Go to a page/).fill(tenant);
  await page.getByRole("option", { name: `Switch to ${tenant}` }).click();
}

/** Starts the only workflow there is, leaves its page, and has it cancelled; the id of the execution. */
async function runAndCancel(page: Page, slug: string, api: Api): Promise<string> {
  await page.getByRole("link", { name: "Workflows" }).first().click();
  await page.getByRole("link", { name: "Run" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
  const id = new URL(page.url()).pathname.slice(-36);
  await page.getByRole("heading", { name: `${slug}-secret-plan` }).waitFor();
  await page.getByRole("link", { name: "Executions" }).first().click();
  await page.getByText(id.slice(-8)).waitFor();
  await api.steer(id, "cancel");
  return id;
}
