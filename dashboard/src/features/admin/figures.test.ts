import { expect, it } from "vitest";
import type { Report } from "@/api/generated/schema";
import { formatsOf } from "@/i18n/format";
import { figuresOf, foremost } from "./figures";

const formats = formatsOf("en");

function report(benchmark: string, workloads: Report["workloads"]): Report {
  return {
    benchmark,
    workloads,
    taken_at: "2026-01-01T00:00:00Z",
    hardware: { cpu: "Fast", cores: 2, memory_bytes: 1 },
    commit: "abc",
    version: "1",
    store: "sqlite",
    settings: {},
    seed: "7",
  };
}

it("says the foremost figure of each workload", () => {
  const throughput = report("throughput", [
    { name: "effects", executions_per_second: 6193, ratio: 0.58 },
    { name: "pure", executions_per_second: 13133 },
  ]);
  expect(foremost(throughput, formats)).toBe(
    "effects: 6,193 executions per second · pure: 13,133 executions per second",
  );
  expect(foremost(report("latency", [{ name: "effects", p99_ms: 2.1 }]), formats)).toBe("p99 2.1 ms");
  expect(foremost(report("history", [{ name: "1000", first_p99_ms: 1 }]), formats)).toBeUndefined();
  expect(foremost(report("latency", []), formats)).toBeUndefined();
});

it("puts figures into words", () => {
  const shown = figuresOf(
    { name: "all", store: "sqlite", slowest_start_ms: 47, ratio: 0.583, caught_up: true },
    formats,
  );
  expect(shown).toEqual([
    { measure: "slowest start", value: "47 ms" },
    { measure: "ratio", value: "0.583" },
    { measure: "caught up", value: "true" },
  ]);
});
