// People and keys.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { client, freshKey, must } from "./client";
import type {
  ApiKeyView,
  ChangeUser,
  CreateApiKey,
  CreatedApiKey,
  CreatedUser,
  CreateUser,
  ResetView,
  Scope,
  UserView,
} from "./generated/schema";
import { stretch, toNext } from "./stretch";

export const scopes: readonly Scope[] = [
  "executions:read",
  "executions:write",
  "workflows:read",
  "workflows:write",
  "agents:read",
  "agents:write",
  "agents:use",
  "views:read",
  "views:write",
  "secrets:read",
  "secrets:write",
  "secrets:use",
  "people:read",
  "people:write",
  "keys:read",
  "keys:write",
  "tenants:read",
  "tenants:write",
  "audit:read",
];

export const peopleKeys = { users: ["users"] as const, apiKeys: ["api-keys"] as const };

export function userList(q: string) {
  return infiniteQueryOptions({
    queryKey: [...peopleKeys.users, q],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor, signal }) => {
      const query = { limit: 50, cursor, q: q || undefined };
      return stretch<UserView>(await must(client.GET("/api/v1/users", { params: { query }, signal })));
    },
    getNextPageParam: toNext,
  });
}

export function createUser(body: CreateUser): Promise<CreatedUser> {
  return must(client.POST("/api/v1/users", { params: { header: { "Idempotency-Key": freshKey() } }, body }));
}

export function changeUser(id: string, body: ChangeUser): Promise<UserView> {
  return must(client.PUT("/api/v1/users/{id}", { params: { path: { id } }, body }));
}

export function resetUser(id: string): Promise<ResetView> {
  const params = { path: { id }, header: { "Idempotency-Key": freshKey() } };
  return must(client.POST("/api/v1/users/{id}/reset", { params }));
}

/** With their keys, sessions and saved views; what else they have made stays. */
export function removeUser(id: string): Promise<unknown> {
  return must(client.DELETE("/api/v1/users/{id}", { params: { path: { id } } }));
}

/** What a one-time token is handed over as. */
export function signInLink(token: string): string {
  return `${globalThis.location.origin}/sign-in?token=${encodeURIComponent(token)}`;
}

export function apiKeyList(withRevoked: boolean) {
  return infiniteQueryOptions({
    queryKey: [...peopleKeys.apiKeys, withRevoked],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor, signal }) => {
      const query = { limit: 50, cursor, include_revoked: withRevoked };
      return stretch<ApiKeyView>(await must(client.GET("/api/v1/api-keys", { params: { query }, signal })));
    },
    getNextPageParam: toNext,
  });
}

export function createApiKey(body: CreateApiKey): Promise<CreatedApiKey> {
  return must(client.POST("/api/v1/api-keys", { params: { header: { "Idempotency-Key": freshKey() } }, body }));
}

export function revokeApiKey(id: string): Promise<unknown> {
  return must(client.DELETE("/api/v1/api-keys/{id}", { params: { path: { id } } }));
}
