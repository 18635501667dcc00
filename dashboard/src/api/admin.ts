// Secrets, the audit, tenants and what is kept.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { AuditSearch } from "@/routes/admin";
import { client, freshKey, must } from "./client";
import type {
  AuditView,
  ChangeTenant,
  CreateTenant,
  RetentionDecision,
  RetentionPreview,
  RetentionState,
  RotationView,
  SecretValue,
  SecretView,
  StoredSecret,
  TenantView,
} from "./generated/schema";
import { stretch, toNext } from "./stretch";

export const adminKeys = {
  secrets: ["secrets"] as const,
  audit: ["audit"] as const,
  tenants: ["tenants"] as const,
  retention: ["retention"] as const,
};

export const secretList = infiniteQueryOptions({
  queryKey: adminKeys.secrets,
  initialPageParam: undefined as string | undefined,
  queryFn: async ({ pageParam: cursor, signal }) =>
    stretch<SecretView>(
      await must(client.GET("/api/v1/secrets", { params: { query: { limit: 50, cursor } }, signal })),
    ),
  getNextPageParam: toNext,
});

/** The names of the secrets of the tenant, for forms: the hundred newest. */
export const secretNames = queryOptions({
  queryKey: [...adminKeys.secrets, "names"],
  queryFn: async ({ signal }) => {
    const found = await must(client.GET("/api/v1/secrets", { params: { query: { limit: 100 } }, signal }));
    return found.items.map((secret) => secret.name).sort();
  },
});

export function putSecret(name: string, value: SecretValue): Promise<StoredSecret> {
  return must(client.PUT("/api/v1/secrets/{name}", { params: { path: { name } }, body: { value } }));
}

/** Encrypts with the current key whatever an older one has encrypted, in every tenant. */
export function rotateSecretKeys(): Promise<RotationView> {
  return must(client.POST("/api/v1/secret-keys/rotate"));
}

export function removeSecret(name: string): Promise<unknown> {
  return must(client.DELETE("/api/v1/secrets/{name}", { params: { path: { name } } }));
}

export function auditList(filter: AuditSearch) {
  return infiniteQueryOptions({
    queryKey: [...adminKeys.audit, filter],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor, signal }) => {
      const query = { ...filter, limit: 50, cursor };
      return stretch<AuditView>(await must(client.GET("/api/v1/audit", { params: { query }, signal })));
    },
    getNextPageParam: toNext,
  });
}

/** All entries that a filter lets through, as a file. */
export function auditExport(filter: AuditSearch): Promise<Blob> {
  return must<Blob>(client.GET("/api/v1/audit/export", { params: { query: filter }, parseAs: "blob" }));
}

export const tenantList = infiniteQueryOptions({
  queryKey: adminKeys.tenants,
  initialPageParam: undefined as string | undefined,
  queryFn: async ({ pageParam: cursor, signal }) =>
    stretch<TenantView>(
      await must(client.GET("/api/v1/tenants", { params: { query: { limit: 50, cursor } }, signal })),
    ),
  getNextPageParam: toNext,
});

export function createTenant(body: CreateTenant): Promise<TenantView> {
  return must(client.POST("/api/v1/tenants", { params: { header: { "Idempotency-Key": freshKey() } }, body }));
}

export function changeTenant(id: string, body: ChangeTenant): Promise<TenantView> {
  return must(client.PUT("/api/v1/tenants/{id}", { params: { path: { id } }, body }));
}

/** Closed at once; what belongs to it is deleted in the background. */
export function removeTenant(id: string): Promise<TenantView> {
  return must(client.DELETE("/api/v1/tenants/{id}", { params: { path: { id } } }));
}

export function tenantDetail(id: string) {
  return queryOptions({
    queryKey: [...adminKeys.tenants, id],
    queryFn: ({ signal }) => must(client.GET("/api/v1/tenants/{id}", { params: { path: { id } }, signal })),
  });
}

/** A round that runs is looked at this often. */
const LOOK_EVERY_MS = 1_000;

export const retention = queryOptions({
  queryKey: adminKeys.retention,
  queryFn: ({ signal }) => must(client.GET("/api/v1/retention", { signal })),
  refetchInterval: ({ state }) => (state.data?.upkeep.running_since ? LOOK_EVERY_MS : false),
});

/** What a round would delete now if this were decided. */
export function previewRetention(body: RetentionDecision): Promise<RetentionPreview> {
  return must(client.POST("/api/v1/retention/preview", { body }));
}

/** Begins a round of deleting, in every tenant. */
export function runRetention(): Promise<RetentionState> {
  return must(client.POST("/api/v1/retention/run"));
}

export function decideRetention(body: RetentionDecision): Promise<RetentionState> {
  return must(client.PUT("/api/v1/retention", { body }));
}
