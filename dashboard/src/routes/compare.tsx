import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export interface CompareSearch {
  a?: string;
  b?: string;
  /** Only the tasks that differ. */
  tasks?: "different";
}

export const compareRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/compare",
  validateSearch: (raw: Record<string, unknown>): CompareSearch => ({
    a: typeof raw.a === "string" ? raw.a : undefined,
    b: typeof raw.b === "string" ? raw.b : undefined,
    tasks: raw.tasks === "different" ? "different" : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/compare/ComparePage")),
    "ComparePage",
  ),
});
