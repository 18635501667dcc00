import { queryOptions } from "@tanstack/react-query";
import { client, freshKey, must } from "./client";
import type { RegisteredView, Validation, WorkflowView } from "./generated/schema";

export const workflowKeys = {
  all: ["workflows"] as const,
  list: (isArchivedToo: boolean) => ["workflows", "list", isArchivedToo] as const,
  detail: (id: string) => ["workflows", "detail", id] as const,
  versions: (id: string) => ["workflows", "versions", id] as const,
  preflight: (id: string) => ["workflows", "preflight", id] as const,
  validation: (text: string) => ["workflows", "validation", text] as const,
};

/** The newest version of each workflow, by name. */
export function workflowList(isArchivedToo = false) {
  return queryOptions({
    queryKey: workflowKeys.list(isArchivedToo),
    queryFn: async ({ signal }) => {
      const found: WorkflowView[] = [];
      let cursor: string | undefined;
      do {
        const query = { limit: 100, cursor, include_archived: isArchivedToo };
        const answer = await must(client.GET("/api/v1/workflows", { params: { query }, signal }));
        found.push(...answer.items);
        cursor = "next_cursor" in answer ? (answer.next_cursor ?? undefined) : undefined;
      } while (cursor && found.length < 2_000);
      return found.sort((a, b) => fullName(a).localeCompare(fullName(b)));
    },
  });
}

export function fullName(workflow: { namespace: string; name: string }): string {
  return `${workflow.namespace}/${workflow.name}`;
}

/** A registered version never changes, except for being archived. */
export function workflowDetail(id: string) {
  return queryOptions({
    queryKey: workflowKeys.detail(id),
    queryFn: ({ signal }) => must(client.GET("/api/v1/workflows/{id}", { params: { path: { id } }, signal })),
  });
}

export function workflowVersions(id: string) {
  return queryOptions({
    queryKey: workflowKeys.versions(id),
    queryFn: ({ signal }) => must(client.GET("/api/v1/workflows/{id}/versions", { params: { path: { id } }, signal })),
    select: (answer) => answer.items,
  });
}

/** What runs of a version may touch, and how that stands now. */
export function preflight(id: string) {
  return queryOptions({
    queryKey: workflowKeys.preflight(id),
    queryFn: ({ signal }) =>
      must(client.POST("/api/v1/workflows/{id}/preflight", { params: { path: { id } }, signal })),
    // Agents, secrets and names come and go without anybody telling.
    staleTime: 0,
  });
}

const yaml = { "content-type": "application/yaml" };

/** Every problem of a definition, with its place. */
export function validation(text: string) {
  return queryOptions({
    queryKey: workflowKeys.validation(text),
    queryFn: ({ signal }): Promise<Validation> =>
      must(
        client.POST("/api/v1/workflows/validate", {
          body: text,
          bodySerializer: String,
          headers: yaml,
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export function registerWorkflow(text: string): Promise<RegisteredView> {
  return must(
    client.POST("/api/v1/workflows", {
      params: { header: { "Idempotency-Key": freshKey() } },
      body: text,
      bodySerializer: String,
      headers: yaml,
    }),
  );
}

export function archiveWorkflow(id: string, isArchived: boolean): Promise<WorkflowView> {
  return must(client.PUT("/api/v1/workflows/{id}", { params: { path: { id } }, body: { is_archived: isArchived } }));
}
