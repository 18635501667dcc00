import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { parseListSearch } from "@/features/executions/search";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const executionsRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/executions",
  validateSearch: parseListSearch,
  component: lazyRouteComponent(
    whenThere(() => import("@/features/executions/ExecutionsPage")),
    "ExecutionsPage",
  ),
});
