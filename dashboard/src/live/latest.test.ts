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
