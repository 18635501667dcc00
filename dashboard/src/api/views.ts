// Saved views: query keys, what is read, what is done to them.
import { queryOptions } from "@tanstack/react-query";
import { client, freshKey, must } from "./client";
import type { ChangeSavedView, CreateSavedView, SavedViewDetail, ViewedList } from "./generated/schema";

export const viewKeys = {
  all: ["views"] as const,
  list: (list: ViewedList) => ["views", list] as const,
};

/** Everybody has a hundred at most; a tenant that shares more than this has other troubles. */
const MAX_READ = 1_000;

/** The own views of a list and those that others share, by name. */
export function savedViews(list: ViewedList) {
  return queryOptions({
    queryKey: viewKeys.list(list),
    queryFn: async ({ signal }) => {
      const found: SavedViewDetail[] = [];
      let cursor: string | undefined;
      do {
        const query = { list, limit: 100, cursor };
        const answer = await must(client.GET("/api/v1/views", { params: { query }, signal }));
        found.push(...answer.items);
        cursor = "next_cursor" in answer ? (answer.next_cursor ?? undefined) : undefined;
      } while (cursor && found.length < MAX_READ);
      return found.sort((a, b) => a.name.localeCompare(b.name));
    },
    // Nothing tells when somebody saves one in another tab or place: they are read when one comes back.
    staleTime: 0,
    refetchOnWindowFocus: "always",
  });
}

export function createView(body: CreateSavedView): Promise<SavedViewDetail> {
  return must(client.POST("/api/v1/views", { params: { header: { "Idempotency-Key": freshKey() } }, body }));
}

export function changeView(id: string, body: ChangeSavedView): Promise<SavedViewDetail> {
  return must(client.PUT("/api/v1/views/{id}", { params: { path: { id } }, body }));
}

export function removeView(id: string): Promise<unknown> {
  return must(client.DELETE("/api/v1/views/{id}", { params: { path: { id } } }));
}
