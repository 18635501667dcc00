// Language and theme: chosen once, kept over reloads, and taken from the system until then. And who one is.
import { expect, test } from "vitest";
import { PASSWORD } from "./support/service";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

test("language and theme are chosen in the menu and kept", async () => {
  const page = await world.open(await world.service.operator());
  await page.goto("/queue");
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();

  await page.getByRole("button", { name: "Preferences" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.getByRole("button", { name: "Preferences" }).click();
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("heading", { name: "队列" }).waitFor();

  await page.reload();
  await page.getByRole("heading", { name: "队列" }).waitFor();
  expect(await background()).toBe(dark);
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh-CN");

  // Back to what the system has, which may change while one looks.
  await page.getByRole("button", { name: "偏好设置" }).click();
  await page.getByRole("menuitemradio").nth(2).click();
  await page.emulateMedia({ colorScheme: "light" });
  await expect.poll(background).toBe(light);
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(background).toBe(dark);
});

test("a browser in Chinese is greeted in Chinese, in dark when its system is", async () => {
  const page = await world.open(undefined, { locale: "zh-CN", colorScheme: "dark" });
  await page.goto("/");
  await page.waitForURL(/sign-in/);
  await page.getByRole("button", { name: "登录" }).waitFor();
  expect(await page.evaluate(() => document.documentElement.classList.contains("dark"))).toBe(true);
});

const FAILING = `document: { dsl: '1.0.3', namespace: test, name: nobody-there, version: '1.0.0' }
do:
  - ask:
      call: agent
      with: { agent: nobody, prompt: Hello }
`;

test("who reads Chinese is told in Chinese what has failed and what to do, with the particulars of the service", async () => {
  const person = await world.service.operator();
  await person.api.register(FAILING);
  const { id } = await person.api.start({ workflow: { namespace: "test", name: "nobody-there" } });
  await person.api.reached(id, "failed");
  const page = await world.open(person, { locale: "zh-CN" });
  await page.goto("/");
  await page.getByText("没有这个智能体：there is no agent with the id, slug or name 'nobody'").first().waitFor();
  await page.goto(`/executions/${id}`);
  const alert = page.getByRole("alert");
  await alert.getByText("没有这个智能体", { exact: true }).waitFor();
  await alert.getByText("there is no agent with the id, slug or name 'nobody'").waitFor();
  expect(await alert.textContent()).toContain("请用 callboard agents list 查看现有智能体，或新建一个。");
});

test("people change their name, and their password with the old one", async () => {
  const operator = await world.service.operator();
  const grace = await operator.api.addPerson("Grace", "viewer", PASSWORD);
  const page = await world.open(grace, { expected: /status of 40[01]|WebSocket/ });
  await page.goto("/queue");
  const account = page.getByRole("dialog", { name: "Your account" });
  const item = page.getByRole("menuitem", { name: "Your account" });
  await page.getByRole("button", { name: "Preferences" }).click();
  await item.click();
  await account.getByLabel("Your name").fill("Grace Hopper");
  await account.getByRole("button", { name: "Save" }).click();
  await account.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Preferences" }).click();
  await page.getByText("Grace Hopper · Viewer").waitFor();

  await item.click();
  await account.getByLabel("New password").fill("another long one");
  await account.getByLabel("Current password").fill("not this one");
  await account.getByRole("button", { name: "Save" }).click();
  await account.getByRole("alert").waitFor();
  await account.getByLabel("Current password").fill(PASSWORD);
  await account.getByRole("button", { name: "Save" }).click();
  await page.getByText("The password has been changed").waitFor();
  await page.getByLabel("E-mail address").fill(grace.email);
  await page.getByLabel("Password").fill("another long one");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Queue" }).waitFor();
});
