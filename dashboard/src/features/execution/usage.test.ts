import { expect, it } from "vitest";
import type { UsageRecord } from "@/api/generated/schema";
import { usageByTask } from "./usage";

function call(task: string, tokens: number, fields: Partial<UsageRecord> = {}): UsageRecord {
  return {
    seq: 1,
    at: "2026-03-01T09:00:00Z",
    task,
    attempt: 0,
    provider: "openai",
    model: "m",
    input_tokens: tokens,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    latency_ms: 10,
    outcome: "used",
    ...fields,
  };
}

it("tells what was spent on calls that came to nothing, as the service has recorded them", () => {
  const sums = usageByTask([
    call("/a", 100, { outcome: "wasted", cost_usd: 0.5, is_estimated: true }),
    call("/a", 40, { attempt: 1, cost_usd: 0.25 }),
    // A later turn of a loop is no second attempt.
    call("/b", 900, { attempt: 3 }),
  ]);
  expect(sums.map((sum) => [sum.task, sum.calls, sum.tokens, sum.wastedTokens, sum.costUsd, sum.wastedUsd])).toEqual([
    ["/b", 1, 900, 0, undefined, 0],
    ["/a", 2, 140, 100, 0.75, 0.5],
  ]);
  expect(sums.map((sum) => sum.isEstimated)).toEqual([false, true]);
});
