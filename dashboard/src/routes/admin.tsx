import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { whenThere } from "@/parts";
import { pagesRoute } from "./root";

/** The filters of the audit, as the service names them. */
const filters = ["actor_id", "action", "target_kind", "target_id", "provider", "after", "before"] as const;
export type AuditSearch = Partial<Record<(typeof filters)[number], string>>;

export interface AdminSearch extends AuditSearch {
  /** Text in people. */
  q?: string;
  /** Whether revoked keys are shown as well. */
  revoked?: "1";
}

export function auditSearchOf(search: AdminSearch): AuditSearch {
  return Object.fromEntries(filters.map((name) => [name, search[name]]));
}

export const adminRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/admin",
  component: lazyRouteComponent(
    whenThere(() => import("@/features/admin/AdminPage")),
    "AdminStart",
  ),
});

export const adminSectionRoute = createRoute({
  getParentRoute: () => pagesRoute,
  path: "/admin/$section",
  validateSearch: (raw: Record<string, unknown>): AdminSearch => ({
    ...Object.fromEntries(filters.map((name) => [name, typeof raw[name] === "string" ? raw[name] : undefined])),
    q: typeof raw.q === "string" ? raw.q : undefined,
    revoked: raw.revoked === "1" ? "1" : undefined,
  }),
  component: lazyRouteComponent(
    whenThere(() => import("@/features/admin/AdminPage")),
    "AdminPage",
  ),
});
