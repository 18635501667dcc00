import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { UserView } from "./generated/schema";

/** The service, as far as signing in goes: each path is answered when the test says so. */
let asked: { path: string; answer: (status: number, body?: unknown) => void }[] = [];

function ask(input: string | Request): Promise<Response> {
  const path = new URL(typeof input === "string" ? input : input.url, "http://localhost").pathname;
  return new Promise((resolve) => {
    asked.push({ path, answer: (status, body) => resolve(Response.json(body ?? {}, { status })) });
  });
}

const tokensOf = (id: string) => ({ access_token: `token of ${id}`, user: { id, role: "member" } as UserView });
const settle = () => new Promise((resolve) => setTimeout(resolve));

async function start() {
  const [{ session }, auth, { client }] = await Promise.all([
    import("./session"),
    import("./auth"),
    import("./client"),
  ]);
  return { session, auth, client };
}

beforeEach(() => {
  asked = [];
  vi.resetModules();
  vi.stubGlobal("fetch", ask);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

it("is not ended by a renewal that was refused when somebody was just signing in", async () => {
  const { session, auth } = await start();
  const renewed = session.renew();
  const entered = auth.signIn({ email: "ada@example.org", password: "correct horse" });
  await settle();
  expect(asked.map(({ path }) => path)).toEqual(["/api/v1/auth/refresh"]);
  asked[0]?.answer(401);
  expect(await renewed).toBe(false);
  await settle();
  asked[1]?.answer(200, tokensOf("ada"));
  await entered;
  expect([session.person?.id, session.isRefused]).toEqual(["ada", false]);
});

it("repeats a request after a renewal, but not in the name of somebody else", async () => {
  const { session, client } = await start();
  session.begin(tokensOf("ada"));
  for (const [person, repeated] of [
    ["ada", 1],
    ["bob", 0],
  ] as const) {
    asked = [];
    const cancelled = client.POST("/api/v1/executions/{id}/cancel", { params: { path: { id: "e1" } }, body: {} });
    await settle();
    asked[0]?.answer(401);
    await settle();
    expect(asked[1]?.path).toBe("/api/v1/auth/refresh");
    asked[1]?.answer(200, tokensOf(person));
    await settle();
    expect(asked.length - 2, person).toBe(repeated);
    asked[2]?.answer(202);
    expect((await cancelled).response.status).toBe(repeated ? 202 : 401);
  }
});
