// Pure: budgets as they are typed, shown and asked about.
import type { Bound, BudgetLimits, BudgetView } from "@/api/generated/schema";
import type { Timeline } from "@/features/execution/timeline";

export const limitNames = ["max_tokens", "max_cost_usd", "max_model_calls", "max_wall_seconds"] as const;
export type LimitName = (typeof limitNames)[number];

/** Limits as they stand in a form; the time is typed in minutes. */
export type LimitTexts = Partial<Record<LimitName, string>>;

const SECONDS_PER_MINUTE = 60;

function asText(name: LimitName, limit: number): string {
  if (name !== "max_wall_seconds") return String(limit);
  // Parts of a second are nobody's limit; two decimals of a minute tell seconds apart.
  return String(Math.round((limit / SECONDS_PER_MINUTE) * 100) / 100);
}

function textsOf(limits: BudgetLimits): LimitTexts {
  const texts: LimitTexts = {};
  for (const name of limitNames) {
    const limit = limits[name];
    if (limit != null) texts[name] = asText(name, limit);
  }
  return texts;
}

export interface Typed {
  limits: BudgetLimits;
  /** Fields that hold no limit: not a number, below zero, or a part of something that has no parts. */
  wrong: LimitName[];
}

/** The limits that were typed. An empty field limits nothing. */
export function limitsOf(texts: LimitTexts): Typed {
  const typed: Typed = { limits: {}, wrong: [] };
  for (const name of limitNames) {
    const text = texts[name]?.trim();
    if (!text) continue;
    const number = Number(text);
    const value = name === "max_wall_seconds" ? Math.round(number * SECONDS_PER_MINUTE) : number;
    const isFine = Number.isFinite(value) && value >= 0 && (name === "max_cost_usd" || Number.isInteger(value));
    if (isFine) typed.limits[name] = value;
    else typed.wrong.push(name);
  }
  return typed;
}

/** The limits that differ from those that hold: what a person approves. */
export function changed(limits: BudgetLimits, known: BudgetLimits): BudgetLimits {
  const change: BudgetLimits = {};
  for (const name of limitNames) if (limits[name] != null && limits[name] !== known[name]) change[name] = limits[name];
  return change;
}

export function isOfMonth(bound: Bound | null | undefined): boolean {
  return bound === "max_tokens_per_month" || bound === "max_cost_per_month";
}

/** What a person is likely to approve: twice the limit that is in the way, the others as they are. */
export function proposal(limits: BudgetLimits, bound: Bound | null | undefined): LimitTexts {
  const texts = textsOf(limits);
  const name = limitNames.find((one) => one === bound);
  const limit = name && limits[name];
  if (name && limit) texts[name] = asText(name, limit * 2);
  return texts;
}

export interface Meter {
  name: LimitName;
  limit: number;
  /** Unknown for the time of an execution that this one is a part of. */
  spent?: number;
  /** What calls that are under way may come to use. */
  reserved: number;
}

export function metersOf(budget: BudgetView, wallSeconds: number | undefined): Meter[] {
  const { spent, reserved, limits } = budget;
  const spentOf: Record<LimitName, number | undefined> = {
    max_tokens: spent.tokens,
    max_cost_usd: spent.cost_usd,
    max_model_calls: spent.calls,
    max_wall_seconds: wallSeconds,
  };
  const reservedOf: Record<LimitName, number> = {
    max_tokens: reserved.tokens,
    max_cost_usd: reserved.cost_usd,
    max_model_calls: reserved.calls,
    max_wall_seconds: 0,
  };
  return limitNames.flatMap((name) => {
    const limit = limits[name];
    return limit == null ? [] : [{ name, limit, spent: spentOf[name], reserved: reservedOf[name] }];
  });
}

/** 0 to 1. A limit of nothing is used up. */
export function partOf({ spent, limit }: Meter): number {
  if (limit === 0) return 1;
  return Math.min(1, (spent ?? 0) / limit);
}

/** Seconds since the start; pauses do not count. */
export function wallSecondsOf(timeline: Timeline, now: number): number | undefined {
  if (timeline.startedAt === undefined) return undefined;
  const end = timeline.endedAt ?? now;
  const paused = timeline.pauses.reduce((sum, pause) => sum + ((pause.to ?? end) - pause.from), 0);
  return Math.max(0, (end - timeline.startedAt - paused) / 1_000);
}
