import { expect, it } from "vitest";
import { row } from "@/test/factories";
import { attention } from "./attention";

const at = (minute: number) => `2026-03-01T09:${minute}:00Z`;
const failure = (id: string, minute: number, name: string) =>
  row({
    id,
    status: "failed",
    finished_at: at(minute),
    updated_at: at(minute),
    workflow: { namespace: "examples", name },
  });

it("puts what asks a person before what has merely failed, and the newest first", () => {
  const paused = [
    row({ id: "by hand", status: "paused", updated_at: at(30) }),
    row({ id: "asks", status: "paused", pause_reason: "5 of 5 calls are used", updated_at: at(10) }),
    row({ id: "asks too", status: "paused", pause_reason: "5 of 5 calls are used", updated_at: at(20) }),
  ];
  const waiting = attention(paused, [failure("failed", 40, "hello")]);
  expect(waiting.map((one) => one.row.id)).toEqual(["asks too", "asks", "failed", "by hand"]);
});

it("shows what fails again and again once, by its newest failure", () => {
  const failed = [failure("a1", 11, "a"), failure("b1", 12, "b"), failure("a2", 13, "a"), failure("a3", 10, "a")];
  expect(attention([], failed).map(({ row: one, count }) => [one.id, count])).toEqual([
    ["a2", 3],
    ["b1", 1],
  ]);
});

it("counts once what failed with its child", () => {
  const failed = [
    failure("parent", 12, "order"),
    { ...failure("child", 11, "payment"), parent_execution_id: "parent" },
    { ...failure("orphan", 10, "shipping"), parent_execution_id: "succeeded all the same" },
  ];
  expect(attention([], failed).map((one) => one.row.id)).toEqual(["parent", "orphan"]);
});
