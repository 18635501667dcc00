import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { parseExecutionSearch } from "@/features/execution/search";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const executionRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/executions/$id",
  validateSearch: parseExecutionSearch,
  component: lazyRouteComponent(
    whenThere(() => import("@/features/execution/ExecutionPage")),
    "ExecutionPage",
  ),
});
