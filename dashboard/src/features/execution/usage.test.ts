import { expect, it } from "vitest";
import type { UsageRecord } from "@/api/generated/schema";
import { usageByTask } from "./usage";

function call(task: string, attempt: number, tokens: number, cost?: number): UsageRecord {
  return {
    seq: 1,
    at: "2026-03-01T09:00:00Z",
    task,
    attempt,
    provider: "openai",
    model: "m",
    input_tokens: tokens,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    latency_ms: 10,
    outcome: "used",
    ...(cost === undefined ? {} : { cost_usd: cost }),
  };
}

it("tells what was spent on attempts that came to nothing", () => {
  const sums = usageByTask([call("/a", 0, 100, 0.5), call("/a", 1, 40, 0.25), call("/b", 0, 900)]);
  expect(sums.map((sum) => [sum.task, sum.calls, sum.tokens, sum.wastedTokens, sum.costUsd])).toEqual([
    ["/b", 1, 900, 0, undefined],
    ["/a", 2, 140, 100, 0.75],
  ]);
});
