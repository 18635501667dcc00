// What the one who is signed in may do.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { type Action, may } from "@/may";
import { usePerson } from "./auth";
import { client, must } from "./client";
import type { Role } from "./generated/schema";

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => must(client.GET("/api/v1/auth/me", { signal })),
  staleTime: 60_000,
});

export interface Standing {
  role?: Role;
  /** What `created_by` of the own things says. */
  ownerId?: string;
  /** The own tenant, whichever one is looked at. */
  tenantId?: string;
  /** Whether an action is allowed; `owner` is the `created_by` of what it is to be done to, when there is such a thing. */
  may(action: Action, owner?: string | null): boolean;
}

export function useStanding(): Standing {
  const { data } = useQuery(me);
  const person = usePerson();
  const role = data?.role ?? person?.role;
  const ownerId = data?.owner_id ?? person?.id;
  return {
    role,
    ownerId,
    tenantId: data?.tenant_id ?? person?.tenant_id,
    may: (action, owner) => may(role, action, owner === undefined || owner === ownerId),
  };
}

/** Somebody whom one does not know. */
const SOMEBODY = "";

/** Whether one sees what others have started too: only then is a list without any really empty. */
export function useSeesOthers(): boolean {
  return useStanding().may("execution_read", SOMEBODY);
}
