import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { parseListSearch } from "@/features/executions/search";
import { rootRoute } from "./root";

export const executionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/executions",
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import("@/features/executions/ExecutionsPage"), "ExecutionsPage"),
});
