import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

export const queueRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/queue",
  component: lazyRouteComponent(
    whenThere(() => import("@/features/queue/QueuePage")),
    "QueuePage",
  ),
});
