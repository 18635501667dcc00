// Pure: figures per hour as series, oldest first.
import type { HourCount, HourSpent, Spent } from "@/api/generated/schema";

const HOUR_MS = 3_600_000;

export interface Series {
  created: number[];
  /** Succeeded over ended, per hour; unknown where nothing ended. */
  rate: (number | undefined)[];
  /** How long 95 of a hundred took at most, in milliseconds; unknown where nothing ended. */
  p95: (number | undefined)[];
}

export function seriesOf(perHour: readonly HourCount[], hours: number, now: number): Series {
  const byHour = new Map(perHour.map((count) => [Math.floor(Date.parse(count.hour) / HOUR_MS), count]));
  const last = Math.floor(now / HOUR_MS);
  const counts = Array.from({ length: hours }, (_, index) => byHour.get(last - hours + 1 + index));
  const rate = (count: HourCount | undefined) => {
    const ended = (count?.succeeded ?? 0) + (count?.failed ?? 0);
    return count && ended > 0 ? count.succeeded / ended : undefined;
  };
  return {
    created: counts.map((count) => count?.created ?? 0),
    rate: counts.map(rate),
    p95: counts.map((count) => count?.run_ms_p95 ?? undefined),
  };
}

export interface Day {
  /** Since midnight. */
  today: Spent;
  /** The hours up to `now`, oldest first. */
  hourly: Spent[];
}

const NOTHING: Spent = { calls: 0, tokens: 0, cost_usd: 0 };

function sum(parts: readonly Spent[]): Spent {
  return parts.reduce(
    (all, one) => ({
      calls: all.calls + one.calls,
      tokens: all.tokens + one.tokens,
      cost_usd: all.cost_usd + one.cost_usd,
    }),
    NOTHING,
  );
}

/**
 * What was spent today, and in the last `hours` hours. `perHour` is counted from `begin`, which lies whole hours before
 * `midnight`, so that no hour belongs to two days.
 */
export function dayOf(perHour: readonly HourSpent[], begin: number, midnight: number, hours: number, now: number): Day {
  const place = (instant: number) => Math.floor((instant - begin) / HOUR_MS);
  const byPlace = new Map(perHour.map((hour) => [place(Date.parse(hour.hour)), hour]));
  const last = place(now);
  return {
    today: sum(perHour.filter((hour) => Date.parse(hour.hour) >= midnight)),
    hourly: Array.from({ length: hours }, (_, index) => byPlace.get(last - hours + 1 + index) ?? NOTHING),
  };
}
