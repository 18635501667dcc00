// Nobody is offered what would be refused: the same pages for each of the four roles.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Role } from "@/api/generated/schema";
import type { Person } from "./support/api";
import { PASSWORD } from "./support/service";
import { worldOfFile } from "./support/world";

const world = worldOfFile();

const WAITING = `
document: { dsl: '1.0.3', namespace: test, name: waiting, version: '1.0.0' }
do:
  - rest: { wait: { hours: 1 } }
`;

interface Offered {
  /** On the page of an execution that somebody else has started. Undefined when it is not theirs to see. */
  steering?: string[];
  writesWorkflows: boolean;
  runsWorkflows: boolean;
  testsAgents: boolean;
  sections: string[];
}

const offered: Record<Role, Offered> = {
  viewer: {
    steering: [],
    writesWorkflows: false,
    runsWorkflows: false,
    testsAgents: false,
    sections: ["API keys", "Limits", "Retention", "Health"],
  },
  member: {
    writesWorkflows: true,
    runsWorkflows: true,
    testsAgents: true,
    sections: ["API keys", "Secrets", "Limits", "Retention", "Health"],
  },
  admin: {
    steering: ["Pause", "Cancel"],
    writesWorkflows: true,
    runsWorkflows: true,
    testsAgents: true,
    sections: ["People", "API keys", "Secrets", "Audit", "Limits", "Retention", "Health"],
  },
  operator: {
    steering: ["Pause", "Cancel"],
    writesWorkflows: true,
    runsWorkflows: true,
    testsAgents: true,
    sections: ["People", "API keys", "Secrets", "Audit", "Limits", "Tenants", "Retention", "Health"],
  },
};

test("each role is offered what it may do", async () => {
  const operator = await world.service.operator();
  const workflow = await operator.api.register(WAITING);
  const { id } = await operator.api.start({ workflow_id: workflow.id });
  await operator.api.reached(id, "waiting");
  for (const role of ["viewer", "member", "admin", "operator"] as const) {
    const person = role === "operator" ? operator : await operator.api.addPerson(role, role, PASSWORD);
    await check(person, role, id);
  }
});

test("a key that is shown once does not go with a click beside it", async () => {
  const page = await world.open(await world.service.operator());
  await page.goto("/admin/keys");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("dialog", { name: "New key" }).getByRole("textbox").first().fill("Reports");
  await page.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "New key" }).click();
  const shown = page.getByRole("dialog").filter({ hasText: "Authorization: Bearer" });
  await shown.waitFor();
  await page.mouse.click(5, 5);
  await page.keyboard.press("Tab");
  expect(await shown.isVisible()).toBe(true);
  await shown.getByRole("button", { name: "I have saved it" }).click();
  await shown.waitFor({ state: "detached" });
});

async function check(person: Person, role: Role, execution: string): Promise<void> {
  const wanted = offered[role];
  const page = await world.open(person, { expected: /status of 40[34]/ });
  await page.goto("/workflows");
  await page.getByRole("link", { name: /test\/waiting/ }).waitFor();
  expect(await count(page, "link", "New workflow"), role).toBe(wanted.writesWorkflows ? 1 : 0);
  expect(await count(page, "link", "Run"), role).toBe(wanted.runsWorkflows ? 1 : 0);

  await page.goto("/agents");
  await page.getByRole("link", { name: /summarizer/i }).click();
  await page.getByRole("heading", { name: /summarizer/i }).waitFor();
  expect(await page.getByLabel("Test input").count(), role).toBe(wanted.testsAgents ? 1 : 0);

  await page.goto(`/executions/${execution}`);
  if (wanted.steering) {
    await page.getByRole("heading", { name: "test/waiting" }).waitFor();
    await page.getByText("Waiting", { exact: true }).first().waitFor();
    const buttons = await page
      .getByRole("button", { name: /^(Pause|Resume|Cancel|Retry|Run again)$/ })
      .allTextContents();
    expect(buttons, role).toEqual(wanted.steering);
  } else await page.getByRole("alert").waitFor();

  await page.goto("/admin");
  const sections = page.getByRole("navigation", { name: "Sections" }).getByRole("link");
  await sections.first().waitFor();
  expect(await sections.allTextContents(), role).toEqual(wanted.sections);
}

function count(page: Page, kind: "link" | "button", name: string): Promise<number> {
  return page.getByRole(kind, { name, exact: true }).count();
}
