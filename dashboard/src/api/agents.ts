import { queryOptions } from "@tanstack/react-query";
import { client, freshKey, must } from "./client";
import type { Accepted, AgentView, ChangeAgent, CreateAgent } from "./generated/schema";

export const agentKeys = {
  all: ["agents"] as const,
  list: ["agents", "list"] as const,
  detail: (id: string) => ["agents", "detail", id] as const,
};

/** Everybody's agents fit one page of thought: the first hundreds are read, in as many parts as it takes. */
export const agentList = queryOptions({
  queryKey: agentKeys.list,
  queryFn: async ({ signal }) => {
    const agents: AgentView[] = [];
    let cursor: string | undefined;
    do {
      const answer = await must(client.GET("/api/v1/agents", { params: { query: { limit: 100, cursor } }, signal }));
      agents.push(...answer.items);
      cursor = "next_cursor" in answer ? (answer.next_cursor ?? undefined) : undefined;
    } while (cursor && agents.length < 1_000);
    return agents.sort((a, b) => Number(a.is_system) - Number(b.is_system) || a.name.localeCompare(b.name));
  },
});

export function agentDetail(id: string) {
  return queryOptions({
    queryKey: agentKeys.detail(id),
    queryFn: ({ signal }) => must(client.GET("/api/v1/agents/{id}", { params: { path: { id } }, signal })),
  });
}

export function testAgent(id: string, input: string): Promise<Accepted> {
  return must(
    client.POST("/api/v1/agents/{id}/test", {
      params: { path: { id }, header: { "Idempotency-Key": freshKey() } },
      body: { test_input: input },
    }),
  );
}

export function createAgent(body: CreateAgent): Promise<AgentView> {
  return must(client.POST("/api/v1/agents", { params: { header: { "Idempotency-Key": freshKey() } }, body }));
}

export function changeAgent(id: string, body: ChangeAgent): Promise<AgentView> {
  return must(client.PUT("/api/v1/agents/{id}", { params: { path: { id } }, body }));
}

export function removeAgent(id: string): Promise<unknown> {
  return must(client.DELETE("/api/v1/agents/{id}", { params: { path: { id } } }));
}
