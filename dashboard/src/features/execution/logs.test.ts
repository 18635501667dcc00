import { expect, it, vi } from "vitest";
import type { LogView } from "@/api/generated/schema";
import { LogReader } from "./logs";

function line(n: number, fields: Partial<LogView> = {}): LogView {
  return { n, at: "2026-03-01T09:00:00Z", level: "info", message: `line ${n}`, source: "", metadata: null, ...fields };
}

const numbers = (lines: readonly LogView[]) => lines.map(({ n }) => n);

it("shows what has the level, the task and the text", () => {
  const lines = [line(1), line(2, { level: "warn", task: "/do/0/a" }), line(3, { level: "error", message: "Lost" })];
  expect(numbers(new LogReader({ text: "" }).read(lines))).toEqual([1, 2, 3]);
  expect(numbers(new LogReader({ text: "", level: "warn" }).read(lines))).toEqual([2, 3]);
  expect(numbers(new LogReader({ text: "lost", level: "warn" }).read(lines))).toEqual([3]);
  expect(numbers(new LogReader({ text: "", task: "/do/0/a" }).read(lines))).toEqual([2]);
});

it("looks at each line once while the log grows, and again when it is another one", () => {
  const looks = vi.fn(() => "line");
  const watched = (n: number) => Object.defineProperty(line(n, { task: `/do/${n}` }), "message", { get: looks });
  const lines = Array.from({ length: 1_000 }, (_, index) => watched(index + 1));
  const reader = new LogReader({ text: "line" });
  const first = reader.read(lines);
  expect(reader.read(lines.slice()), "nothing new, nothing changed").toBe(first);
  const tasks = reader.tasksOf(lines);
  expect(numbers(reader.read([...lines, watched(1_001)])).at(-1)).toBe(1_001);
  expect(looks).toHaveBeenCalledTimes(1_001);
  expect(tasks).toHaveLength(1_000);
  // A line that was missing has been read.
  expect(numbers(reader.read([line(0), ...lines]))).toHaveLength(1_001);
});
