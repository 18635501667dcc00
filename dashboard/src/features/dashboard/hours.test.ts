import { expect, it } from "vitest";
import { dayOf, seriesOf } from "./hours";

it("knows nothing of hours in which nothing ended, and drops those that are too old", () => {
  const now = Date.parse("2026-03-01T12:40:00Z");
  const perHour = [
    { hour: "2026-03-01T08:00:00Z", created: 9, succeeded: 9, failed: 0 },
    { hour: "2026-03-01T10:00:00Z", created: 4, succeeded: 3, failed: 1, run_ms_p95: 40 },
    { hour: "2026-03-01T12:00:00Z", created: 2, succeeded: 0, failed: 2 },
  ];
  // An hour of which nothing is known is no hour in which everything failed.
  expect(seriesOf(perHour, 4, now).rate).toEqual([undefined, 0.75, undefined, 0]);
  expect(seriesOf(perHour, 3, now)).toEqual({
    created: [4, 0, 2],
    rate: [0.75, undefined, 0],
    p95: [40, undefined, undefined],
  });
});

it("separates what was spent today from what was spent yesterday, wherever midnight lies", () => {
  // Half past six in UTC is midnight in some places.
  const midnight = Date.parse("2026-03-01T18:30:00Z");
  const begin = Date.parse("2026-02-28T18:30:00Z");
  const spent = (hour: string, tokens: number) => ({ hour, calls: 1, tokens, cost_usd: tokens / 4 });
  const perHour = [
    spent("2026-02-28T18:30:00Z", 900),
    spent("2026-03-01T17:30:00Z", 30),
    spent("2026-03-01T18:30:00Z", 5),
    spent("2026-03-01T20:30:00Z", 7),
  ];
  const day = dayOf(perHour, begin, midnight, 4, Date.parse("2026-03-01T20:40:00Z"));
  expect(day.today).toEqual({ calls: 2, tokens: 12, cost_usd: 3 });
  expect(day.hourly.map((hour) => hour.tokens)).toEqual([30, 5, 0, 7]);
});
