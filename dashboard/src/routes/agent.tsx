import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";

export const agentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/agents/$id",
  validateSearch: (raw: Record<string, unknown>): { test?: string } => ({
    test: typeof raw.test === "string" ? raw.test : undefined,
  }),
  component: lazyRouteComponent(() => import("@/features/agents/AgentPage"), "AgentPage"),
});
