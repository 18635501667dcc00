// Pure: model calls summed up by task, with the part that came to nothing apart.
import type { UsageRecord } from "@/api/generated/schema";

export interface TaskUsage {
  task: string;
  models: string[];
  calls: number;
  tokens: number;
  costUsd?: number;
  latencyMs: number;
  /** Tokens of attempts that another attempt has replaced. */
  wastedTokens: number;
}

export function tokensOf(record: UsageRecord): number {
  return record.input_tokens + record.cached_input_tokens + record.output_tokens + record.reasoning_tokens;
}

export function usageByTask(records: readonly UsageRecord[]): TaskUsage[] {
  const lastAttempt = new Map<string, number>();
  for (const { task, attempt } of records)
    lastAttempt.set(task ?? "", Math.max(attempt, lastAttempt.get(task ?? "") ?? 0));
  const found = new Map<string, TaskUsage>();
  for (const record of records) {
    const task = record.task ?? "";
    const sum = found.get(task) ?? { task, models: [], calls: 0, tokens: 0, latencyMs: 0, wastedTokens: 0 };
    const tokens = tokensOf(record);
    sum.calls += 1;
    sum.tokens += tokens;
    sum.latencyMs += record.latency_ms;
    if (record.cost_usd !== undefined) sum.costUsd = (sum.costUsd ?? 0) + record.cost_usd;
    if (record.attempt < (lastAttempt.get(task) ?? 0)) sum.wastedTokens += tokens;
    const model = `${record.provider} ${record.model}`.trim();
    if (!sum.models.includes(model)) sum.models.push(model);
    found.set(task, sum);
  }
  return [...found.values()].sort((a, b) => b.tokens - a.tokens);
}
