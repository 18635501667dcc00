import { queryOptions } from "@tanstack/react-query";
import { client, must } from "./client";
import { hourly, live } from "./executions";

export const spendingKey = ["spending"] as const;

/** What model calls have used since an instant, and by the hours from it on. */
export function spending(since: string) {
  return queryOptions({
    queryKey: [...spendingKey, since],
    queryFn: ({ signal }) =>
      must(client.GET("/api/v1/observability/usage/summary", { params: { query: { since } }, signal })),
    ...hourly,
    meta: live,
  });
}
