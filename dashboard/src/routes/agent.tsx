import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const agentRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/agents/$id",
  validateSearch: (raw: Record<string, unknown>): { test?: string } => ({
    test: typeof raw.test === "string" ? raw.test : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/agents/AgentPage")),
    "AgentPage",
  ),
});
