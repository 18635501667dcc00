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
  latest.note(update({ id: "2", status: "failed", last_seq: 9 }));
  const page = latest.page({ items: [row({ id: "1" })] }, {}, true);
  expect(page.items.map(({ id }) => id)).toEqual(["2", "1"]);
  expect(latest.page({ items: [row({ id: "1" })] }, {}, false).items).toHaveLength(1);
});

it("does not bring back what was deleted since", () => {
  const latest = new Latest();
  latest.note(update({ id: "2", status: "failed", last_seq: 9 }));
  vi.advanceTimersByTime(61_000);
  expect(latest.page({ items: [row({ id: "1" })] }, {}, true).items.map(({ id }) => id)).toEqual(["1"]);
});

it("knows of a retry that has begun while an answer was on its way", () => {
  const latest = new Latest();
  latest.note(update({ id: "5", continues: "2" }));
  const failed = row({ id: "2", status: "failed" });
  expect(latest.detail(failed).continued_by).toBe("5");
  expect(latest.page({ items: [failed] }, { status: ["failed"], continued: false }, false).items).toEqual([]);
});
