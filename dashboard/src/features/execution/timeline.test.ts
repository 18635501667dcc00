import { describe, expect, it } from "vitest";
import type { EventView } from "@/api/generated/schema";
import { event } from "@/test/factories";
import { roundsOf, scaleOf, TimelineBuilder, tallies } from "./timeline";

/** A journal of `[second, type, path, data]`. */
function journal(...lines: [number, string, string?, object?][]): EventView[] {
  return lines.map(([second, type, path, data], index) =>
    event(index + 1, {
      at: new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString(),
      type,
      ...(path ? { path, task: `/do/0/${path.split(":").at(-1)}` } : {}),
      data: data ?? {},
    }),
  );
}

const at = (second: number) => Date.UTC(2026, 0, 1) + second * 1_000;
const deadline = (second: number) => new Date(at(second)).toISOString();

const rested = journal(
  [0, "execution_created"],
  [2, "execution_started"],
  [2, "task_started", "s0:work"],
  [4, "task_completed", "s0:work", { output: 1 }],
  [4, "task_started", "s1:rest"],
  [4, "timer_set", "s1:rest", { purpose: "wait", deadline: deadline(104) }],
  [104, "timer_fired", "s1:rest", { purpose: "wait" }],
  [104, "task_completed", "s1:rest"],
  [104, "task_started", "s2:more"],
  [108, "task_completed", "s2:more"],
  [108, "execution_completed", undefined, { output: {} }],
);

describe("task instances", () => {
  it("know how long they worked and how long they waited", () => {
    const { instances, startedAt, endedAt } = new TimelineBuilder().add(rested);
    expect([startedAt, endedAt]).toEqual([at(2), at(108)]);
    expect(instances.map((one) => [one.name, one.status, one.stretches.map((stretch) => stretch.kind)])).toEqual([
      ["work", "succeeded", ["work"]],
      ["rest", "succeeded", ["work", "wait", "work"]],
      ["more", "succeeded", ["work"]],
    ]);
  });

  it("are the same whether a journal comes at once or grows", () => {
    const growing = new TimelineBuilder();
    for (let end = 1; end <= rested.length; end += 1) growing.add(rested.slice(0, end));
    expect(growing.add(rested)).toEqual(new TimelineBuilder().add(rested));
    // Only the new part may be handed in as well.
    const parts = new TimelineBuilder();
    parts.add(rested.slice(0, 5));
    expect(parts.add(rested.slice(5))).toEqual(new TimelineBuilder().add(rested));
  });

  it("that are open when the execution ends have ended with it", () => {
    const { instances } = new TimelineBuilder().add(
      journal([0, "execution_started"], [1, "task_started", "s0:slow"], [3, "execution_cancelled"]),
    );
    expect(instances[0]).toMatchObject({ status: "cancelled", to: at(3) });
  });

  it("wait while a budget keeps them from working, and go on when more is approved", () => {
    const events = journal(
      [0, "execution_started"],
      [0, "task_started", "s0:ask"],
      [1, "effect_withheld", "s0:ask", { reason: "2 of 2 calls are used" }],
      [1, "execution_paused"],
      [9, "execution_resumed"],
      [10, "task_completed", "s0:ask"],
    );
    expect(new TimelineBuilder().add(events.slice(0, 4)).instances[0]?.status).toBe("waiting");
    expect(new TimelineBuilder().add(events.slice(0, 5)).instances[0]?.status).toBe("running");
    const { instances } = new TimelineBuilder().add(events);
    expect(instances[0]?.stretches.map((stretch) => stretch.kind)).toEqual(["work", "wait", "work"]);
  });

  it("show attempts and the pauses between them", () => {
    const error = { type: "t", status: 503, title: "Busy" };
    const { instances } = new TimelineBuilder().add(
      journal(
        [0, "task_started", "s0:try"],
        [1, "task_retried", "s0:try", { error, next_attempt: 1, deadline: deadline(3) }],
        [1, "timer_set", "s0:try", { purpose: "retry", deadline: deadline(3) }],
        [3, "timer_fired", "s0:try", { purpose: "retry" }],
      ),
    );
    expect(instances[0]).toMatchObject({ attempts: 2, status: "running", error });
    expect(instances[0]?.stretches).toEqual([
      { kind: "work", from: at(0), to: at(1) },
      { kind: "retry", from: at(1), to: at(3) },
      { kind: "work", from: at(3) },
    ]);
  });
});

it("counts the instances of a task, and shows what is going on before what has ended", () => {
  const { instances } = new TimelineBuilder().add(
    journal(
      [0, "task_started", "s0:loop/i0/s0:step"],
      [1, "task_failed", "s0:loop/i0/s0:step", { error: { type: "t", status: 500 } }],
      [1, "task_started", "s0:loop/i1/s0:step"],
      [2, "task_started", "s0:loop/i2/s0:step"],
      [3, "task_completed", "s0:loop/i2/s0:step"],
    ),
  );
  expect(tallies(instances).get("/do/0/step")).toEqual({
    status: "running",
    count: 3,
    done: 2,
    path: "s0:loop/i2/s0:step",
  });
});

it("tells of a task that did its work in one round and was skipped in the next that it did its work", () => {
  const { instances } = new TimelineBuilder().add(
    journal(
      [0, "task_skipped", "s0:loop/i0/s0:revise"],
      [1, "task_started", "s0:loop/i1/s0:revise"],
      [2, "task_completed", "s0:loop/i1/s0:revise"],
      [3, "task_skipped", "s0:loop/i2/s0:revise"],
      [3, "task_skipped", "s0:loop/i2/s1:never"],
    ),
  );
  const found = tallies(instances);
  expect(found.get("/do/0/revise")).toMatchObject({ status: "succeeded", count: 1, path: "s0:loop/i1/s0:revise" });
  expect(found.get("/do/0/never")).toMatchObject({ status: "skipped", count: 1 });
});

describe("the scale", () => {
  it("is even, unless idle time is hidden", () => {
    const timeline = new TimelineBuilder().add(rested);
    const even = scaleOf(timeline, at(200), false);
    expect(even.at(at(54))).toBeCloseTo(0.5);
    for (const { at: place, ms } of even.ticks) expect(place).toBeCloseTo(even.at(at(0) + ms));
    const cut = scaleOf(timeline, at(200), true);
    expect(cut.cuts).toEqual([{ at: expect.any(Number), ms: 100_000 }]);
    expect(cut.at(at(4))).toBeCloseTo((2 / 6) * 0.985, 2);
    expect(cut.at(at(108))).toBe(1);
  });

  it("never goes back", () => {
    const cut = scaleOf(new TimelineBuilder().add(rested), at(200), true);
    const places = Array.from({ length: 109 }, (_, second) => cut.at(at(second)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});

it("tells the rounds of loops that a task was in", () => {
  const path = "s0:every~1day/i2/s1:panel/b0/s0:ask/i0/s3:vote";
  expect(roundsOf(path)).toEqual([
    { loop: "every/day", round: 3 },
    { loop: "ask", round: 1 },
  ]);
  expect(roundsOf("s0:i7/b1/s0:ask")).toEqual([]);
});
