import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pagesRoute } from "./root";

export const agentsRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/agents",
  component: lazyRouteComponent(() => import("@/features/agents/AgentsPage"), "AgentsPage"),
});
