// Pure: model calls summed up by task, with the part that came to nothing apart.
import type { UsageRecord } from "@/api/generated/schema";

export interface TaskUsage {
  task: string;
  models: string[];
  calls: number;
  tokens: number;
  costUsd?: number;
  latencyMs: number;
  /** Of calls that failed, or whose attempt was retried, cancelled or superseded. */
  wastedTokens: number;
  wastedUsd: number;
  /** Whether the tokens of a call were counted by the service, because the model did not say. */
  isEstimated: boolean;
}

function tokensOf(record: UsageRecord): number {
  return record.input_tokens + record.cached_input_tokens + record.output_tokens + record.reasoning_tokens;
}

export function usageByTask(records: readonly UsageRecord[]): TaskUsage[] {
  const found = new Map<string, TaskUsage>();
  for (const record of records) {
    const task = record.task ?? "";
    const sum = found.get(task) ?? {
      task,
      models: [],
      calls: 0,
      tokens: 0,
      latencyMs: 0,
      wastedTokens: 0,
      wastedUsd: 0,
      isEstimated: false,
    };
    const tokens = tokensOf(record);
    sum.calls += 1;
    sum.tokens += tokens;
    sum.latencyMs += record.latency_ms;
    sum.isEstimated ||= record.is_estimated ?? false;
    if (record.cost_usd !== undefined) sum.costUsd = (sum.costUsd ?? 0) + record.cost_usd;
    if (record.outcome === "wasted") {
      sum.wastedTokens += tokens;
      sum.wastedUsd += record.cost_usd ?? 0;
    }
    const model = `${record.provider} ${record.model}`.trim();
    if (!sum.models.includes(model)) sum.models.push(model);
    found.set(task, sum);
  }
  return [...found.values()].sort((a, b) => b.tokens - a.tokens);
}
