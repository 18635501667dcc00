import { expect, it } from "vitest";
import type { Instance } from "@/features/execution/timeline";
import { compareTasks } from "./compare";

function instance(path: string, output: unknown, status: Instance["status"] = "succeeded"): Instance {
  return {
    path,
    pointer: `/do/0/${path}`,
    name: path,
    depth: 0,
    status,
    attempt: 0,
    attempts: 1,
    from: 0,
    to: 5,
    stretches: [],
    output,
  };
}

it("pairs tasks that both went through and keeps those that only one did", () => {
  const tasks = compareTasks(
    [instance("s0:load", { x: 1, y: 2 }), instance("s1:old", 1), instance("s2:end", 1)],
    [instance("s0:load", { y: 2, x: 1 }), instance("s1:new", 1), instance("s2:end", 2)],
  );
  expect(tasks.map((task) => [task.path, Boolean(task.a), Boolean(task.b), task.isSame])).toEqual([
    ["s0:load", true, true, true],
    ["s1:old", true, false, false],
    ["s2:end", true, true, false],
    ["s1:new", false, true, false],
  ]);
});

it("does not take the same output of different ends for the same", () => {
  expect(compareTasks([instance("a", null)], [instance("a", null, "failed")])[0]?.isSame).toBe(false);
});
