import { createRouter } from "@tanstack/react-router";
import { adminRoute, adminSectionRoute } from "@/routes/admin";
import { agentRoute } from "@/routes/agent";
import { agentsRoute } from "@/routes/agents";
import { compareRoute } from "@/routes/compare";
import { dashboardRoute } from "@/routes/dashboard";
import { executionRoute } from "@/routes/execution";
import { executionsRoute } from "@/routes/executions";
import { Failed, Missing, Pending } from "@/routes/fallbacks";
import { queueRoute } from "@/routes/queue";
import { pagesRoute, rootRoute } from "@/routes/root";
import { signInRoute } from "@/routes/sign-in";
import { newWorkflowRoute, workflowRoute } from "@/routes/workflow";
import { workflowsRoute } from "@/routes/workflows";

const routeTree = rootRoute.addChildren([
  signInRoute,
  pagesRoute.addChildren([
    dashboardRoute,
    executionsRoute,
    executionRoute,
    compareRoute,
    workflowsRoute,
    newWorkflowRoute,
    workflowRoute,
    agentsRoute,
    agentRoute,
    queueRoute,
    adminRoute,
    adminSectionRoute,
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultNotFoundComponent: Missing,
  defaultPendingComponent: Pending,
  defaultErrorComponent: Failed,
  scrollRestoration: false,
  // Plain words in the address: `?status=failed&q=Ada`, never JSON.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch(search) {
    const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return text ? `?${text}` : "";
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
