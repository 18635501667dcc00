// Pure: figures per hour as series without holes, oldest first.
import type { HourCount } from "@/api/generated/schema";

const HOUR_MS = 3_600_000;

export interface Series {
  created: number[];
  succeeded: number[];
  failed: number[];
  /** Succeeded over ended, per hour; the hour before where nothing ended. */
  rate: number[];
}

export function seriesOf(perHour: readonly HourCount[], hours: number, now: number): Series {
  const byHour = new Map(perHour.map((count) => [Math.floor(Date.parse(count.hour) / HOUR_MS), count]));
  const last = Math.floor(now / HOUR_MS);
  const series: Series = { created: [], succeeded: [], failed: [], rate: [] };
  for (let hour = last - hours + 1; hour <= last; hour += 1) {
    const { created = 0, succeeded = 0, failed = 0 } = byHour.get(hour) ?? {};
    series.created.push(created);
    series.succeeded.push(succeeded);
    series.failed.push(failed);
    const ended = succeeded + failed;
    series.rate.push(ended > 0 ? succeeded / ended : (series.rate.at(-1) ?? 0));
  }
  return series;
}
