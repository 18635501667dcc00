import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export interface WorkflowsSearch {
  q?: string;
}

export const workflowsRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/workflows",
  validateSearch: (raw: Record<string, unknown>): WorkflowsSearch => ({
    q: typeof raw.q === "string" ? raw.q : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/workflows/WorkflowsPage")),
    "WorkflowsPage",
  ),
});
