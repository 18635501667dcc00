import { expect, it } from "vitest";
import { ticksOf } from "./ticks";

const HOUR = 3_600_000;

it("divides any stretch of time into at most six round parts", () => {
  expect(ticksOf(1_200)).toEqual([200, 400, 600, 800, 1_000, 1_200]);
  expect(ticksOf(108_000)).toEqual([30_000, 60_000, 90_000]);
  expect(ticksOf(3 * HOUR).map((tick) => tick / HOUR)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
  expect(ticksOf(100 * 24 * HOUR).map((tick) => tick / HOUR / 24)).toEqual([17, 34, 51, 68, 85]);
  for (let span = 1; span < 1e12; span = Math.ceil(span * 1.7)) {
    const { length } = ticksOf(span);
    expect(length, `${span} ms`).toBeGreaterThanOrEqual(1);
    expect(length, `${span} ms`).toBeLessThanOrEqual(6);
  }
});
