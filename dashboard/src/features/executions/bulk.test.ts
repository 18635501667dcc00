import { expect, it } from "vitest";
import { unreachable } from "@/api/client";
import { forEach, grouped, narrowed, takes } from "./bulk";

const ids = Array.from({ length: 40 }, (_, index) => String(index));

it("does it to each once, a few at a time, and goes on when one is refused", async () => {
  let [running, most] = [0, 0];
  const seen: string[] = [];
  const act = async (id: string) => {
    running += 1;
    most = Math.max(most, running);
    seen.push(id);
    await Promise.resolve();
    running -= 1;
    if (id === "7") throw new Error("it has ended meanwhile");
  };
  const end = await forEach(ids, act, () => undefined, new AbortController().signal);
  expect([end.done, end.failures.length]).toEqual([40, 1]);
  expect([...seen].sort()).toEqual([...ids].sort());
  expect(most).toBeLessThanOrEqual(6);
});

it("stops when asked to, and reads no further", async () => {
  const abort = new AbortController();
  let read = 0;
  async function* endless() {
    for (;;) yield String(read++);
  }
  const end = await forEach(
    endless(),
    async () => undefined,
    ({ done }) => done === 10 && abort.abort(),
    abort.signal,
  );
  expect(end.done).toBeGreaterThanOrEqual(10);
  expect(end.done).toBeLessThan(20);
  expect(read).toBeLessThan(30);
});

it("does not take a list that cannot be read any further for one that has ended", async () => {
  async function* broken() {
    yield "1";
    throw new Error("the service is away");
  }
  const all = forEach(
    broken(),
    async () => undefined,
    () => undefined,
    new AbortController().signal,
  );
  await expect(all).rejects.toThrow("the service is away");
});

it("asks only those that would take the command", () => {
  expect(narrowed({ workflow: "a/b" }, "retry")).toEqual({
    workflow: "a/b",
    status: ["failed", "cancelled"],
    continued: false,
  });
  expect(narrowed({ status: ["failed", "running"] }, "cancel")).toEqual({ status: ["running"] });
  expect(narrowed({ status: ["succeeded"] }, "cancel")).toBeUndefined();
});

it("passes over what has been retried already, and only for another retry", () => {
  expect(narrowed({ continued: true }, "retry")).toBeUndefined();
  expect(narrowed({ continued: true }, "cancel")).toMatchObject({ continued: true });
  expect(takes({ status: "failed", continued_by: "5" }, "retry")).toBe(false);
  expect(takes({ status: "failed", continued_by: null }, "retry")).toBe(true);
});

it("tells the same refusal once", () => {
  const problem = (code: string) => ({ ...unreachable("away"), code });
  const told = grouped([problem("wrong_state"), problem("queue_full"), problem("queue_full")]);
  expect(told.map((one) => [one.problem.code, one.count])).toEqual([
    ["queue_full", 2],
    ["wrong_state", 1],
  ]);
});
