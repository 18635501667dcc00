// Pure: figures per hour as series without holes, oldest first.
import type { HourCount, HourSpent, Spent } from "@/api/generated/schema";

const HOUR_MS = 3_600_000;

export interface Series {
  created: number[];
  succeeded: number[];
  failed: number[];
  /** Succeeded over ended, per hour; where nothing ended that of the hour before, or of the first that is known. */
  rate: number[];
}

export function seriesOf(perHour: readonly HourCount[], hours: number, now: number): Series {
  const byHour = new Map(perHour.map((count) => [Math.floor(Date.parse(count.hour) / HOUR_MS), count]));
  const last = Math.floor(now / HOUR_MS);
  let known: number | undefined;
  const series: Series = { created: [], succeeded: [], failed: [], rate: [] };
  for (let hour = last - hours + 1; hour <= last; hour += 1) {
    const { created = 0, succeeded = 0, failed = 0 } = byHour.get(hour) ?? {};
    series.created.push(created);
    series.succeeded.push(succeeded);
    series.failed.push(failed);
    const ended = succeeded + failed;
    if (ended > 0) {
      if (known === undefined) series.rate.fill(succeeded / ended);
      known = succeeded / ended;
    }
    series.rate.push(known ?? 0);
  }
  return series;
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
