import { expect, it } from "vitest";
import { forEach } from "./bulk";

const ids = Array.from({ length: 40 }, (_, index) => String(index));

it("does everything once, counts what failed and goes on", async () => {
  const seen: string[] = [];
  const end = await forEach(
    ids,
    async (id) => {
      seen.push(id);
      if (id === "7") throw new Error("refused");
    },
    () => undefined,
    new AbortController().signal,
  );
  expect(end).toEqual({ done: 40, failed: 1, total: 40 });
  expect([...seen].sort()).toEqual([...ids].sort());
});

it("stops when asked to", async () => {
  const abort = new AbortController();
  const end = await forEach(
    ids,
    async () => undefined,
    ({ done }) => done === 10 && abort.abort(),
    abort.signal,
  );
  expect(end.done).toBeGreaterThanOrEqual(10);
  expect(end.done).toBeLessThan(20);
});
