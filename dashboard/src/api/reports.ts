import { queryOptions } from "@tanstack/react-query";
import { client, must } from "./client";

/** The reports of measurements that lie beside the service. */
export const reports = queryOptions({
  queryKey: ["reports"],
  queryFn: ({ signal }) => must(client.GET("/api/v1/reports", { signal })),
});
