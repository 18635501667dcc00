import { expect, it } from "vitest";
import { row } from "@/test/factories";
import { measure } from "./measured";

it("measures what has ended and nothing else", () => {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const took = (id: string, seconds: number) =>
    row({ id, status: "succeeded", started_at: at(0), finished_at: at(seconds) });
  const rows = [took("1", 2), took("2", 30), took("3", 4), row({ id: "4", status: "failed" }), row({ id: "5" })];
  expect(measure(rows)).toEqual({ count: 5, successRate: 0.75, medianMs: 4_000 });
  expect(measure([row({ id: "1" })])).toEqual({ count: 1, successRate: undefined, medianMs: undefined });
});
