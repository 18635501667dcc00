// What appears on the pages when somebody does something there: dialogs, menus, notices, forms that are filled in wrongly. For
// the gallery; each is a place like the others.
import type { Page } from "playwright-core";
import type { ExampleData } from "../tests/support/example-data";
import type { Place } from "../tests/support/places";

export interface Scene extends Place {
  /** Only there on a narrow screen. */
  isNarrow?: boolean;
}

const NOTICE = "[data-sonner-toast]";
const WRONG = "[aria-invalid=true]";

/** Something with this icon, which names it in every language. */
function press(page: Page, icon: string, within = "main"): Promise<void> {
  return page.locator(`${within} button:has(.lucide-${icon}):visible`).first().click();
}

function choose(page: Page, icon: string): Promise<void> {
  return page.locator(`[role=menuitem]:has(.lucide-${icon})`).first().click();
}

function send(page: Page): Promise<void> {
  return page.locator("form [type=submit]:visible").last().click();
}

export function scenesOf(data: ExampleData): Scene[] {
  return [...ofExecutions(data), ...ofWorkflows(data), ...ofAgents(data), ...ofAdmin(), ...ofShell(data)];
}

function ofExecutions({ succeeded, waiting }: ExampleData): Scene[] {
  const selectAll = (page: Page) => page.locator("[role=columnheader] input").click();
  return [
    { name: "executions-selected", path: "/executions", open: selectAll, brings: "[role=toolbar]" },
    {
      name: "executions-question",
      path: "/executions",
      open: async (page) => {
        await selectAll(page);
        await press(page, "ban", "[role=toolbar]");
      },
    },
    { name: "executions-columns", path: "/executions", open: (page) => press(page, "columns-3") },
    {
      name: "executions-save",
      path: "/executions?status=failed",
      open: async (page) => {
        await press(page, "bookmark");
        await choose(page, "bookmark-plus");
      },
    },
    {
      name: "executions-filters",
      path: "/executions?status=failed",
      isNarrow: true,
      open: (page) => press(page, "sliders-horizontal"),
      brings: "[aria-expanded=true]",
    },
    {
      name: "execution-commands",
      path: `/executions/${waiting}`,
      isNarrow: true,
      open: (page) => press(page, "ellipsis"),
    },
    {
      name: "execution-facts",
      path: `/executions/${waiting}`,
      isNarrow: true,
      open: (page) => page.locator("[aria-controls=facts]").click(),
      brings: "[aria-controls=facts][aria-expanded=true]",
    },
    {
      name: "execution-event",
      path: `/executions/${succeeded}?tab=events`,
      open: (page) => page.locator("main li button").nth(3).click(),
      brings: "main li [aria-expanded=true]",
    },
    { name: "execution-no-lines", path: `/executions/${succeeded}?tab=logs&q=nothing-of-the-kind` },
    {
      name: "execution-bar",
      path: `/executions/${succeeded}?tab=timeline`,
      open: (page) => page.locator("main li button").nth(1).click(),
      brings: "main li [aria-pressed=true]",
    },
    { name: "execution-nowhere", path: "/executions/00000000-0000-7000-8000-000000000000" },
    { name: "compare-one", path: `/compare?b=${waiting}` },
    {
      name: "compare-task",
      path: `/compare?a=${waiting}&b=${succeeded}`,
      open: (page) => page.locator("main li button").first().click(),
      brings: "main li [aria-expanded=true]",
    },
  ];
}

function ofWorkflows({ workflow, newerWorkflow, neverRun }: ExampleData): Scene[] {
  const write = async (page: Page, text: string) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(text);
  };
  return [
    { name: "workflow-preflight", path: `/workflows/${workflow}?tab=preflight` },
    { name: "workflow-changes", path: `/workflows/${newerWorkflow}?tab=versions&compare=${workflow}` },
    { name: "workflow-never-run", path: `/workflows/${neverRun}?tab=runs` },
    { name: "workflow-without-form", path: `/workflows/${neverRun}?run=1` },
    {
      name: "workflow-run-wrong",
      path: `/workflows/${workflow}?run=1`,
      open: async (page) => {
        await page.locator("summary").click();
        await page.locator("form input[inputmode=decimal]").first().fill("many");
        await send(page);
      },
      brings: WRONG,
    },
    { name: "workflow-next", path: `/workflows/new?from=${workflow}` },
    { name: "editor-examples", path: "/workflows/new", open: (page) => press(page, "book-open") },
    {
      name: "editor-problems",
      path: "/workflows/new",
      open: (page) =>
        write(page, "document: { dsl: '1.0.3', namespace: my }\ndo:\n  - ask:\n      cal: http\n  - then: 4\n"),
      brings: "section li.status-failed",
    },
    {
      name: "editor-words",
      path: "/workflows/new",
      open: async (page) => {
        await write(page, "do:\n  - ask:\n      c");
        await page.keyboard.press("Control+Space");
      },
      brings: ".cm-tooltip-autocomplete",
    },
    {
      name: "editor-leaving",
      path: "/workflows/new",
      open: async (page) => {
        await write(page, "do: []");
        await page.locator("nav a[href='/queue']:visible").click();
      },
    },
  ];
}

function ofAgents({ agent }: ExampleData): Scene[] {
  const path = `/agents/${agent}`;
  return [
    { name: "agents-none", path: "/agents", open: (page) => page.locator("main input").fill("zzz"), brings: ".py-14" },
    { name: "agent-new", path: "/agents", open: (page) => press(page, "plus") },
    { name: "agent-change", path, open: (page) => press(page, "pencil") },
    { name: "agent-question", path, open: (page) => press(page, "trash-2") },
    {
      name: "agent-started",
      path,
      open: async (page) => {
        await page.locator("main textarea").fill("Actors keep state. Actors talk by messages.");
        await send(page);
      },
      brings: NOTICE,
    },
    {
      name: "agent-too-long",
      path,
      open: (page) => page.locator("main textarea").fill("Too long. ".repeat(501)),
      brings: WRONG,
    },
    {
      name: "agent-untested",
      path: "/agents",
      open: (page) => page.locator("main li a").first().click(),
      brings: "main textarea",
    },
  ];
}

function ofAdmin(): Scene[] {
  const dialogs = { users: "user-plus", keys: "plus", secrets: "plus", tenants: "plus" };
  const added = Object.entries(dialogs).map(([section, icon]) => ({
    name: `admin-${section}-new`,
    path: `/admin/${section}`,
    open: (page: Page) => press(page, icon),
  }));
  const menuOf = async (page: Page, index: number) =>
    page.locator("main li button:has(.lucide-ellipsis):visible").nth(index).click();
  return [
    ...added,
    {
      name: "admin-users-wrong",
      path: "/admin/users",
      open: async (page) => {
        await press(page, "user-plus");
        await send(page);
      },
      brings: WRONG,
    },
    { name: "admin-users-menu", path: "/admin/users", open: (page) => menuOf(page, 0) },
    {
      name: "admin-keys-once",
      path: "/admin/keys",
      open: async (page) => {
        await press(page, "plus");
        await page.locator("[role=dialog] input").first().fill("Reports");
        await send(page);
      },
      brings: "[role=dialog] .select-all",
    },
    { name: "admin-secrets-question", path: "/admin/secrets", open: (page) => press(page, "refresh-ccw-dot") },
    { name: "admin-tenants-menu", path: "/admin/tenants", open: (page) => menuOf(page, 0) },
    {
      name: "admin-tenants-limits",
      path: "/admin/tenants",
      open: async (page) => {
        await menuOf(page, 0);
        await choose(page, "gauge");
      },
    },
    {
      name: "admin-tenants-remove",
      path: "/admin/tenants",
      open: async (page) => {
        await menuOf(page, 0);
        if (!(await page.locator("[role=menuitem]:has(.lucide-trash-2)").isVisible())) {
          await page.keyboard.press("Escape");
          await menuOf(page, 1);
        }
        await choose(page, "trash-2");
      },
    },
    { name: "admin-audit-none", path: "/admin/audit?action=nothing-of-the-kind" },
    {
      name: "admin-retention-preview",
      path: "/admin/retention",
      open: async (page) => {
        await page.locator("main input").first().fill("1");
        await page.locator("main form button:not([type=submit])").first().click();
      },
      brings: "[role=status] p",
    },
  ];
}

function ofShell({ waiting }: ExampleData): Scene[] {
  const type = async (page: Page, text: string) => {
    await page.keyboard.press("Control+k");
    await page.locator("[cmdk-input]").fill(text);
  };
  return [
    { name: "palette-found", path: "/queue", open: (page) => type(page, "sho") },
    { name: "palette-nothing", path: "/queue", open: (page) => type(page, "zzzz") },
    {
      name: "viewing",
      path: "/",
      open: async (page) => {
        await type(page, "north");
        await page.locator("[cmdk-item]").first().waitFor();
        await page.keyboard.press("Enter");
      },
      brings: "button:has(.lucide-undo-2)",
    },
    {
      name: "notice-of-problem",
      path: `/executions/${waiting}`,
      open: async (page) => {
        await page.route(/\/pause$/, (route) =>
          route.fulfill({ status: 503, contentType: "application/problem+json", json: PROBLEM }),
        );
        await press(page, "circle-pause");
      },
      brings: NOTICE,
    },
    {
      name: "focus",
      path: "/",
      open: async (page) => {
        for (let count = 0; count < 14; count += 1) await page.keyboard.press("Tab");
      },
      brings: "main :focus-visible",
    },
    { name: "sign-in-problem", path: "/sign-in?problem=no_role" },
    { name: "sign-in-wrong", path: "/sign-in", open: send, brings: WRONG },
  ];
}

/** What a service says that has lost its database. */
export const PROBLEM = {
  type: "urn:callboard:problem:store_unavailable",
  title: "The database does not answer",
  status: 503,
  detail: "The database could not be reached within 5 seconds.",
  code: "store_unavailable",
  suggestion: "Try again in a moment.",
  request_id: "00000000-0000-7000-8000-000000000000",
};
