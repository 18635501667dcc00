import { queryOptions } from "@tanstack/react-query";
import { client, must } from "./client";
import { live } from "./executions";

export const queueView = queryOptions({
  queryKey: ["queue"],
  queryFn: ({ signal }) => must(client.GET("/api/v1/queue", { signal })),
  meta: live,
});
