// Every page there is, with something on it, and how to tell that it has settled.
import type { Page } from "playwright-core";
import { sections } from "@/features/admin/sections";
import { tabs } from "@/features/execution/search";
import type { ExampleData } from "./example-data";

export interface Place {
  name: string;
  path: string;
  /** What is opened on it: a dialog, a menu. */
  open?: (page: Page) => Promise<unknown>;
  /** Where to see that it is open, when it is neither. */
  brings?: string;
}

export function placesOf(data: ExampleData): Place[] {
  const execution = (id: string, query = "") => `/executions/${id}${query}`;
  return [
    { name: "dashboard", path: "/" },
    { name: "executions", path: "/executions" },
    { name: "executions-none", path: "/executions?q=nothing-of-the-kind" },
    {
      name: "executions-view",
      path: `/executions?status=failed&columns=owner&view=${data.view}`,
      open: (page) => page.locator("main button:has(.lucide-bookmark)").click(),
    },
    { name: "execution-failed", path: execution(data.failed) },
    { name: "execution-task", path: execution(data.failed, "?task=/do/2/pay/try/0/charge") },
    { name: "execution-waiting", path: execution(data.waiting) },
    { name: "execution-over-budget", path: execution(data.overBudget) },
    { name: "execution-cancelled", path: execution(data.cancelled) },
    { name: "execution-retried", path: execution(data.retried) },
    { name: "executions-children", path: `/executions?parent=${data.retried}&continued=true` },
    { name: "execution-test", path: execution(data.test) },
    ...tabs.map((tab) => ({ name: `execution-${tab}`, path: execution(data.succeeded, `?tab=${tab}`) })),
    { name: "compare-nothing", path: "/compare" },
    { name: "compare", path: `/compare?a=${data.waiting}&b=${data.cancelled}` },
    { name: "workflows", path: "/workflows" },
    ...["definition", "runs", "versions"].map((tab) => ({
      name: `workflow-${tab}`,
      path: `/workflows/${data.workflow}?tab=${tab}`,
    })),
    { name: "workflow-run", path: `/workflows/${data.workflow}?run=1` },
    { name: "workflow-new", path: "/workflows/new" },
    { name: "agents", path: "/agents" },
    { name: "agent", path: `/agents/${data.agent}` },
    { name: "queue", path: "/queue" },
    ...sections.map(({ name }) => ({ name: `admin-${name}`, path: `/admin/${name}` })),
    { name: "admin", path: "/admin" },
    { name: "sign-in", path: "/sign-in" },
    { name: "first-sign-in", path: "/sign-in?token=nothing" },
    { name: "missing", path: "/nowhere" },
    { name: "palette", path: "/queue", open: (page) => page.keyboard.press("Control+k") },
    { name: "shortcuts", path: "/queue", open: (page) => page.keyboard.press("?") },
    { name: "preferences", path: "/queue", open: (page) => page.locator("[aria-haspopup=menu]:visible").click() },
    {
      name: "account",
      path: "/queue",
      open: async (page) => {
        await page.locator("[aria-haspopup=menu]:visible").click();
        await page.locator("[role=menuitem]:has(.lucide-user-round)").click();
        await page.locator("[role=dialog] input").first().waitFor();
      },
    },
    { name: "monitor", path: "/queue", open: (page) => page.locator("[aria-haspopup=dialog].fixed").click() },
    {
      name: "question",
      path: execution(data.waiting),
      open: async (page) => {
        const cancel = page.locator("main button:has(.lucide-ban)");
        if (await cancel.isVisible()) return cancel.click();
        // A telephone has it in a menu.
        await page.locator("main [aria-haspopup=menu]:visible").last().click();
        await page.locator("[role=menuitem]:has(.lucide-ban)").click();
      },
    },
  ];
}

/** Goes there and waits until everything is there: nothing loads any more, and what appears has appeared. */
export async function visit(page: Page, place: Place): Promise<void> {
  await page.goto(place.path);
  await settle(page);
  if (!place.open) return;
  await place.open(page);
  await page
    .locator(place.brings ?? "[role=dialog], [role=alertdialog], [role=menu]")
    .first()
    .waitFor();
  await settle(page);
}

/** Everything is there and nothing moves. The theme is that of the system, which may just have changed. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const isThere = document.querySelector("h1, [role=alert], p.font-medium") !== null;
    const wantsDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const isInTheme = document.documentElement.classList.contains("dark") === wantsDark;
    const isLoading = document.querySelector(".animate-pulse.bg-line") !== null;
    const moves = document
      .getAnimations()
      .some(
        (one) => one.playState === "running" && one.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY,
      );
    return isThere && isInTheme && !isLoading && !moves && document.fonts.status === "loaded";
  });
}
