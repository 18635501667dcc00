import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pagesRoute } from "./root";

export const queueRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/queue",
  component: lazyRouteComponent(() => import("@/features/queue/QueuePage"), "QueuePage"),
});
