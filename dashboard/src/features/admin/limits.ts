// Pure: the limits of a tenant.
import type { TenantView } from "@/api/generated/schema";

export const limits = [
  "max_running_executions",
  "max_queued_executions",
  "max_tokens_per_month",
  "max_cost_per_month",
] as const;
export type TenantLimit = (typeof limits)[number];

/** What was decided for a tenant, limit by limit; `null` is left to the settings of the service. */
export function limitFields(tenant: TenantView): { name: TenantLimit; value: number | null }[] {
  return limits.map((name) => ({ name, value: tenant.limits[name] ?? null }));
}

/** The first instant of a month in UTC: limits of months are counted so, wherever one is. */
export function monthBegin(now: number): string {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)).toISOString();
}
