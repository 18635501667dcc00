import { expect, it } from "vitest";
import { course, KEPT_MS, type Sample, withSample } from "./lately";

const minute = 60_000;

it("keeps changes only, and of what is old just the value that still holds", () => {
  let samples: Sample[] = [];
  for (const [at, value] of [
    [0, 3],
    [minute, 3],
    [2 * minute, 5],
  ] as const)
    samples = withSample(samples, value, at);
  expect(samples).toEqual([
    { at: 0, value: 3 },
    { at: 2 * minute, value: 5 },
  ]);
  const later = withSample(samples, 0, 3 * minute + KEPT_MS);
  expect(later).toEqual([
    { at: 2 * minute, value: 5 },
    { at: 3 * minute + KEPT_MS, value: 0 },
  ]);
});

it("holds a value until the next one, and shows nothing of a moment", () => {
  const samples = [
    { at: 0, value: 2 },
    { at: 30_000, value: 8 },
  ];
  const line = course(samples, 60_000);
  expect([line[0], line[29], line.at(-1), line.filter((value) => value === 2).length]).toEqual([2, 2, 8, 30]);
  expect(course(samples, 1_000)).toEqual([]);
  expect(course([], 60_000)).toEqual([]);
});
