import { useQuery } from "@tanstack/react-query";
import { executionCount } from "@/api/executionLists";

export interface Children {
  total: number;
  failed: number;
  /** Whether there may be more than `total`. */
  isExact: boolean;
}

/** How many executions an execution has started, once there is reason to ask. */
export function useChildren(id: string, isAsked: boolean): Children | undefined {
  const all = useQuery({ ...executionCount({ parent: id }), enabled: isAsked });
  const failed = useQuery({ ...executionCount({ parent: id, status: ["failed"] }), enabled: isAsked });
  if (!all.data || !failed.data) return undefined;
  return { total: all.data.total, failed: failed.data.total, isExact: all.data.isExact };
}
