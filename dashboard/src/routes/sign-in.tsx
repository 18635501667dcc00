import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { rootRoute } from "./root";

export interface SignInSearch {
  /** Of a one-time link. */
  token?: string;
  /** Where to go afterwards. */
  next?: string;
  /** Why a provider has not led in. */
  problem?: string;
}

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (raw: Record<string, unknown>): SignInSearch => ({
    token: typeof raw.token === "string" ? raw.token : undefined,
    next: typeof raw.next === "string" ? raw.next : undefined,
    problem: typeof raw.problem === "string" ? raw.problem : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/sign-in/SignInPage")),
    "SignInPage",
  ),
});
