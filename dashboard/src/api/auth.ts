// Signing in and out. These addresses are asked without a session, so they do not pass through the client that renews one.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { forget } from "@/live/forget";
import { client, must, ProblemError, unreachable } from "./client";
import type {
  ChangeMe,
  FirstSignIn,
  Login,
  Problem,
  ProviderList,
  ProviderView,
  Tokens,
  UserView,
} from "./generated/schema";
import { session } from "./session";
import { viewing } from "./viewing";

function post(path: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return send(path, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body) });
}

async function send(path: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(`/api/v1/auth/${path}`, request).catch((cause: unknown) => {
    throw new ProblemError(unreachable(String(cause)));
  });
  if (response.ok) return response.status === 204 ? undefined : response.json();
  const problem: unknown = await response.json().catch(() => undefined);
  throw new ProblemError((problem as Problem | undefined) ?? unreachable(response.statusText, response.status));
}

export async function signIn(body: Login): Promise<void> {
  begin((await session.alone(() => post("login", body))) as Tokens);
}

/** Exchanges a one-time link for a password and a session. */
export async function firstSignIn(body: FirstSignIn): Promise<void> {
  begin((await session.alone(() => post("first-sign-in", body))) as Tokens);
}

/** Whoever signs in begins at home. */
function begin(tokens: Tokens): void {
  viewing.choose(undefined);
  session.begin(tokens);
}

/** The providers that people may sign in with. A service that cannot say so has none. */
export const providersOptions = queryOptions({
  queryKey: ["providers"],
  queryFn: async (): Promise<ProviderView[]> => ((await send("oidc", {})) as ProviderList).items,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Where a browser goes to sign in with a provider; it comes back signed in, at the address in `next`. */
export function providerAddress(id: string, next?: string): string {
  const query = next ? `?${new URLSearchParams({ next })}` : "";
  return `/api/v1/auth/oidc/${encodeURIComponent(id)}/start${query}`;
}

/** Changes who is signed in. Another password ends all their sessions, this one with them. */
export async function changeMe(queries: QueryClient, body: ChangeMe): Promise<void> {
  const user = await must(client.PUT("/api/v1/auth/me", { body }));
  if (body.password) return session.end();
  session.know(user);
  await queries.invalidateQueries({ queryKey: ["me"] });
}

/** Nothing of what was seen stays for whoever comes next. */
export async function signOut(queries: QueryClient): Promise<void> {
  await session.alone(() => post("logout", {}));
  session.end();
  viewing.choose(undefined);
  forget(queries);
}

export function usePerson(): UserView | undefined {
  return useSyncExternalStore(session.subscribe, () => session.person);
}

export function useIsRefused(): boolean {
  return useSyncExternalStore(session.subscribe, () => session.isRefused);
}
