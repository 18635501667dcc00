import { expect, it } from "vitest";
import { parse } from "yaml";
import { type Box, END, layout, START } from "./layout";
import { flat, modelOf } from "./model";

const definition = parse(`
document: { dsl: '1.0.3', namespace: test, name: everything, version: '1.0.0' }
do:
  - choose:
      switch:
        - large: { when: .size > 10, then: loop }
        - default: { then: end }
  - "fetch/it":
      try:
        - get: { call: http, with: { method: get, endpoint: 'https://example.com/a' } }
      catch:
        do:
          - note: { set: { failed: true } }
  - loop:
      for: { each: stop, in: .stops }
      do:
        - rest: { wait: { seconds: 5 } }
        - both:
            fork:
              branches:
                - left: { call: agent, with: { agent: scorer } }
                - right: { run: { shell: { command: ls } }, if: .wanted }
    `);

it("names tasks by the pointers that events carry", () => {
  expect(flat(modelOf(definition)).map((task) => [task.pointer, task.kind, task.detail])).toEqual([
    ["/do/0/choose", "switch", ""],
    ["/do/1/fetch~1it", "try", ""],
    ["/do/1/fetch~1it/try/0/get", "call", "GET https://example.com/a"],
    ["/do/1/fetch~1it/catch/do/0/note", "set", "failed"],
    ["/do/2/loop", "for", "stop in .stops"],
    ["/do/2/loop/do/0/rest", "wait", "5 s"],
    ["/do/2/loop/do/1/both", "fork", ""],
    ["/do/2/loop/do/1/both/fork/branches/0/left", "call", "agent scorer"],
    ["/do/2/loop/do/1/both/fork/branches/1/right", "run", "shell ls"],
  ]);
});

it("tells apart what asks an agent, reaches over the network, starts a workflow or races", () => {
  const looks = (task: object) => modelOf({ do: [{ task }] }).map((one) => one.look);
  expect(flat(modelOf(definition)).map((task) => task.look)).toContain("http");
  expect(looks({ call: "agent", with: { agent: "scorer" } })).toEqual(["agent"]);
  expect(looks({ call: "ownFunction" })).toEqual(["call"]);
  expect(looks({ run: { workflow: { name: "child" } } })).toEqual(["workflow"]);
  expect(looks({ run: { shell: { command: "ls" } } })).toEqual(["run"]);
  expect(looks({ fork: { compete: true, branches: [] } })).toEqual(["race"]);
});

it("understands what it can of a definition that is being written", () => {
  for (const broken of [undefined, "text", { do: 7 }, { do: [null, 3, {}, { a: 1 }] }])
    expect(modelOf(broken)).toEqual([]);
  expect(modelOf({ do: [{ half: { try: [], catch: "?" } }, { odd: { what: 1 } }] }).map((task) => task.kind)).toEqual([
    "try",
    "unknown",
  ]);
});

it("draws the ways of a switch, and none where none leads", () => {
  const { arrows } = layout(modelOf(definition));
  const ways = arrows
    .filter((arrow) => !arrow.from.slice(1).includes("/do/"))
    .map((arrow) => [arrow.from, arrow.to, arrow.label, arrow.isJump]);
  expect(ways).toContainEqual(["/do/0/choose", "/do/2/loop", "large", true]);
  expect(ways).toContainEqual(["/do/0/choose", END, "default", true]);
  expect(ways).not.toContainEqual(["/do/0/choose", "/do/1/fetch~1it", undefined, false]);
  expect(ways).toContainEqual([START, "/do/0/choose", undefined, false]);
  expect(ways).toContainEqual(["/do/2/loop", END, undefined, false]);
});

it("keeps every task inside its parent and off its siblings", () => {
  const { boxes } = layout(modelOf(definition));
  const byPointer = new Map(boxes.map((box) => [box.task.pointer, box]));
  const overlap = (a: Box, b: Box) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (const box of boxes) {
    const parent = box.parent ? byPointer.get(box.parent) : undefined;
    if (parent) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThan(0);
      expect(box.x + box.width).toBeLessThanOrEqual(parent.width);
      expect(box.y + box.height).toBeLessThanOrEqual(parent.height);
    }
    for (const other of boxes)
      if (other !== box && other.parent === box.parent) expect(overlap(box, other)).toBe(false);
  }
});
