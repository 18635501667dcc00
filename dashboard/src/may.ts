// What whom is allowed. The service decides; this is its table, so that nobody is offered what would be refused.
import type { Role } from "./api/generated/schema";

type Reach = "none" | "own" | "all";

/** By role: viewer, member, admin, operator. */
const table = {
  execution_start: ["none", "own", "all", "all"],
  execution_read: ["all", "own", "all", "all"],
  execution_statistics: ["all", "all", "all", "all"],
  execution_steer: ["none", "own", "all", "all"],
  queue_read: ["all", "all", "all", "all"],
  workflow_read: ["all", "all", "all", "all"],
  workflow_register: ["none", "own", "all", "all"],
  workflow_change: ["none", "own", "all", "all"],
  workflow_run: ["none", "all", "all", "all"],
  agent_read: ["all", "all", "all", "all"],
  agent_create: ["none", "own", "all", "all"],
  agent_change: ["none", "own", "all", "all"],
  agent_use: ["none", "all", "all", "all"],
  view_read: ["own", "own", "all", "all"],
  view_write: ["own", "own", "all", "all"],
  view_share: ["none", "own", "all", "all"],
  secret_read: ["none", "all", "all", "all"],
  secret_write: ["none", "none", "all", "all"],
  secret_use: ["none", "all", "all", "all"],
  retention_read: ["all", "all", "all", "all"],
  retention_write: ["none", "none", "all", "all"],
  engine_steer: ["none", "none", "none", "all"],
  report_read: ["none", "none", "none", "all"],
  tenant_read: ["all", "all", "all", "all"],
  tenant_write: ["none", "none", "none", "all"],
  user_read: ["own", "own", "all", "all"],
  user_write: ["none", "none", "all", "all"],
  key_read: ["own", "own", "all", "all"],
  key_write: ["own", "own", "all", "all"],
  audit_read: ["none", "none", "all", "all"],
  profile_read: ["own", "own", "own", "own"],
  profile_write: ["own", "own", "own", "own"],
} as const satisfies Record<string, readonly [Reach, Reach, Reach, Reach]>;

export type Action = keyof typeof table;
export const actions = Object.keys(table) as Action[];

/** From the least to the most. */
export const roles: readonly Role[] = ["viewer", "member", "admin", "operator"];

/** Whether a role may do something to a thing; `isOwn` where only the own ones may be touched. Without a role: nothing. */
export function may(role: Role | undefined, action: Action, isOwn = true): boolean {
  if (!role) return false;
  const reach = table[action][roles.indexOf(role)];
  return reach === "all" || (reach === "own" && isOwn);
}

/** The roles that somebody may give: none above the own one. */
export function rolesUpTo(role: Role | undefined): readonly Role[] {
  return role ? roles.slice(0, roles.indexOf(role) + 1) : [];
}
