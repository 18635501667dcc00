import { queryOptions } from "@tanstack/react-query";
import { client, must, ProblemError, unreachable } from "./client";
import type { Ready } from "./generated/schema";

/** Nobody pushes health: what is away cannot say so. */
const LOOK_EVERY_MS = 5_000;

/** How everything is that the service depends on. An answer that something is away is an answer. */
export const readiness = queryOptions({
  queryKey: ["health", "ready"],
  queryFn: async ({ signal }): Promise<Ready> => {
    const answer = await client.GET("/readyz", { signal }).catch((cause: unknown) => {
      throw new ProblemError(unreachable(String(cause)));
    });
    const body: unknown = answer.data ?? answer.error;
    if (isReady(body)) return body;
    throw new ProblemError(unreachable(answer.response.statusText, answer.response.status));
  },
  refetchInterval: LOOK_EVERY_MS,
  retry: false,
});

export const liveness = queryOptions({
  queryKey: ["health", "live"],
  queryFn: ({ signal }) => must(client.GET("/livez", { signal })),
  refetchInterval: LOOK_EVERY_MS,
  retry: false,
});

function isReady(body: unknown): body is Ready {
  return typeof body === "object" && body !== null && "dependencies" in body;
}
