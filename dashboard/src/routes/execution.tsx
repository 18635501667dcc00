import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { parseExecutionSearch } from "@/features/execution/search";
import { pagesRoute } from "./root";

export const executionRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/executions/$id",
  validateSearch: parseExecutionSearch,
  component: lazyRouteComponent(() => import("@/features/execution/ExecutionPage"), "ExecutionPage"),
});
