import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const workflowTabs = ["definition", "runs", "preflight", "versions"] as const;
export type WorkflowTab = (typeof workflowTabs)[number];

export const workflowRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/workflows/$id",
  validateSearch: (
    raw: Record<string, unknown>,
  ): { tab?: WorkflowTab; run?: string; like?: string; compare?: string } => ({
    tab: workflowTabs.find((tab) => tab === raw.tab),
    run: raw.run === "1" ? "1" : undefined,
    // An execution whose input the dialog begins with.
    like: typeof raw.like === "string" ? raw.like : undefined,
    compare: typeof raw.compare === "string" ? raw.compare : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/workflows/WorkflowPage")),
    "WorkflowPage",
  ),
});

export const newWorkflowRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/workflows/new",
  validateSearch: (raw: Record<string, unknown>): { from?: string; example?: string } => ({
    // A registered one, for its next version.
    from: typeof raw.from === "string" ? raw.from : undefined,
    example: typeof raw.example === "string" ? raw.example : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/workflows/EditorPage")),
    "EditorPage",
  ),
});
