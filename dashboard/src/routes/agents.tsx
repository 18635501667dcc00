import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const agentsRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/agents",
  component: lazyRouteComponent(
    whenThere(() => import("@/features/agents/AgentsPage")),
    "AgentsPage",
  ),
});
