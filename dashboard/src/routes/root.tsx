import { createRootRoute, createRoute, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { useIsRefused } from "@/api/auth";
import { Layout } from "@/features/shell/Layout";
import { Toasts } from "@/features/shell/Toasts";

export const rootRoute = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
});

/** Everything that wants somebody who has signed in. */
export const pagesRoute = createRoute({ getParentRoute: () => rootRoute, id: "pages", component: Pages });

function Pages() {
  const isRefused = useIsRefused();
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location.href });
  useEffect(() => {
    // The address changes before this page has gone; once is enough.
    if (!isRefused || here.startsWith("/sign-in")) return;
    void navigate({ to: "/sign-in", search: { next: here === "/" ? undefined : here }, replace: true });
  }, [isRefused, here, navigate]);
  return isRefused ? null : <Layout />;
}
