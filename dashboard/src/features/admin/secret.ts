// Pure: what a secret may be. The service checks it again.
import type { SecretValue } from "@/api/generated/schema";

export const secretKinds = ["text", "object"] as const;
export type SecretKind = (typeof secretKinds)[number];

/** Shorter texts could not be told from the rest of a journal, and so could not be kept out of it. */
const MIN_BYTES = 6;

/** The value that was typed; `undefined` when it cannot be one. */
export function secretOf(kind: SecretKind, typed: string): SecretValue | undefined {
  if (kind === "text") return new TextEncoder().encode(typed.trim()).length >= MIN_BYTES ? typed : undefined;
  try {
    const value: unknown = JSON.parse(typed);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && Object.keys(value).length > 0 ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
