import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export interface AgentsSearch {
  q?: string;
}

export const agentsRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/agents",
  validateSearch: (raw: Record<string, unknown>): AgentsSearch => ({
    q: typeof raw.q === "string" ? raw.q : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/agents/AgentsPage")),
    "AgentsPage",
  ),
});
