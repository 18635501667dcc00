import { expect, it } from "vitest";
import { seriesOf } from "./hours";

it("fills hours without executions and drops those that are too old", () => {
  const now = Date.parse("2026-03-01T12:40:00Z");
  const perHour = [
    { hour: "2026-03-01T08:00:00Z", created: 9, succeeded: 9, failed: 0 },
    { hour: "2026-03-01T10:00:00Z", created: 4, succeeded: 3, failed: 1 },
    { hour: "2026-03-01T12:00:00Z", created: 2, succeeded: 0, failed: 2 },
  ];
  expect(seriesOf(perHour, 3, now)).toEqual({
    created: [4, 0, 2],
    succeeded: [3, 0, 0],
    failed: [1, 0, 2],
    rate: [0.75, 0.75, 0],
  });
});
