import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { row, update } from "@/test/factories";
import { Latest } from "./latest";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("adds to an answer what has come in while it was on its way", () => {
  const latest = new Latest();
  const asked = latest.now();
  latest.note(update({ id: "2", status: "failed", last_seq: 9 }));
  const page = latest.page({ items: [row({ id: "1" })] }, {}, asked);
  expect(page.items.map(({ id }) => id)).toEqual(["2", "1"]);
  expect(latest.page({ items: [row({ id: "1" })], cursor: "b" }, {}, asked).items).toHaveLength(1);
});

it("does not bring back what was deleted, or has ended while no frames came", () => {
  const latest = new Latest();
  latest.note(update({ id: "2", status: "running" }));
  vi.advanceTimersByTime(5_000);
  const asked = latest.now();
  expect(latest.page({ items: [row({ id: "1" })] }, { status: ["running"] }, asked).items).toHaveLength(1);
  expect(latest.active([row({ id: "1" })], asked).map(({ id }) => id)).toEqual(["1"]);
});

it("knows of a retry that has begun while an answer was on its way", () => {
  const latest = new Latest();
  latest.note(update({ id: "5", continues: "2" }));
  const failed = row({ id: "2", status: "failed" });
  expect(latest.detail(failed).continued_by).toBe("5");
  const page = { items: [failed], cursor: "b" };
  expect(latest.page(page, { status: ["failed"], continued: false }, 0).items).toEqual([]);
});
