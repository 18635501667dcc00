import { expect, it } from "vitest";
import { changed, limitsOf, metersOf, partOf, proposal, wallSecondsOf } from "./budget";

it("reads limits as they are typed, the time in minutes, and says which are none", () => {
  expect(
    limitsOf({ max_tokens: " 5000 ", max_cost_usd: "0.25", max_wall_seconds: "1.5", max_model_calls: "" }),
  ).toEqual({ limits: { max_tokens: 5_000, max_cost_usd: 0.25, max_wall_seconds: 90 }, wrong: [] });
  expect(limitsOf({ max_tokens: "1.5", max_cost_usd: "-1", max_model_calls: "many" }).wrong).toEqual([
    "max_tokens",
    "max_cost_usd",
    "max_model_calls",
  ]);
  expect(limitsOf({ max_model_calls: "0" }).limits).toEqual({ max_model_calls: 0 });
});

it("approves only what was changed, and proposes twice what is in the way", () => {
  const known = { max_tokens: 5_000, max_wall_seconds: 90 };
  const proposed = proposal(known, "max_wall_seconds");
  expect(proposed).toEqual({ max_tokens: "5000", max_wall_seconds: "3" });
  expect(changed(limitsOf(proposed).limits, known)).toEqual({ max_wall_seconds: 180 });
  expect(proposal({ max_wall_seconds: 5 }, "max_wall_seconds")).toEqual({ max_wall_seconds: "0.17" });
  expect(limitsOf({ max_wall_seconds: "0.17" }).limits).toEqual({ max_wall_seconds: 10 });
  expect(proposal(known, "max_tokens_per_month")).toEqual({ max_tokens: "5000", max_wall_seconds: "1.5" });
});

it("shows how much of each limit is used", () => {
  const budget = {
    root_execution_id: "a",
    limits: { max_tokens: 200, max_model_calls: 0, max_wall_seconds: 60 },
    spent: { calls: 1, tokens: 50, cost_usd: 0.5 },
    reserved: { calls: 1, tokens: 100, cost_usd: 0 },
  };
  const meters = metersOf(budget, undefined);
  expect(meters.map((meter) => [meter.name, partOf(meter), meter.reserved])).toEqual([
    ["max_tokens", 0.25, 100],
    ["max_model_calls", 1, 1],
    ["max_wall_seconds", 0, 0],
  ]);
});

it("counts no time in which an execution is paused", () => {
  const timeline = {
    instances: [],
    recoveries: [],
    startedAt: 1_000,
    pauses: [{ from: 3_000, to: 8_000 }, { from: 9_000 }],
  };
  expect(wallSecondsOf(timeline, 60_000)).toBe(3);
  expect(wallSecondsOf({ ...timeline, startedAt: undefined }, 60_000)).toBeUndefined();
});
