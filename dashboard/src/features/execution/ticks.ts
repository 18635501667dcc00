// Pure: the round instants that divide a stretch of time, for the axis above a timeline.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What people count by, from milliseconds to a day. */
const STEPS: readonly number[] = [
  ...[1, 10, 100].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 6, 12].map((count) => count * HOUR),
];
const MOST = 6;

/** Offsets in milliseconds, evenly apart: at most six, without the beginning. */
export function ticksOf(spanMs: number): number[] {
  const step = STEPS.find((one) => spanMs / one <= MOST) ?? DAY * Math.ceil(spanMs / DAY / MOST);
  return Array.from({ length: Math.floor(spanMs / step) }, (_, index) => (index + 1) * step);
}
