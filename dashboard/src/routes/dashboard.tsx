import { createRoute } from "@tanstack/react-router";
import { DashboardPage } from "@/features/dashboard/DashboardPage";
import { pagesRoute } from "./root";

/** Where most visits begin, so it comes with the first load. */
export const dashboardRoute = createRoute({ getParentRoute: () => pagesRoute, path: "/", component: DashboardPage });
