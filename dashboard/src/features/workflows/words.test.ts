import { describe, expect, it } from "vitest";
import { indentAfter, keysFor, placeOf, valuesFor } from "./words";

/** The place of the mark in a text. */
function at(text: string) {
  const lines = text.split("\n");
  const index = lines.findIndex((line) => line.includes("|"));
  const column = lines[index]?.indexOf("|") ?? 0;
  lines[index] = "";
  return placeOf(lines, index, column);
}

const WORKFLOW = `document:
  name: orders
do:
  - fetch:
      if: .wanted
      # the shop
      call: http
      with:
        method: get
        WITH
      TASK
  - ask:
      call: agent
      with:
        AGENT
  - each:
      for: { each: order, in: .orders }
      do:
      - check:
          INNER
  - try-it:
      try:
        - risky:
            set: { a: 1 }
      catch:
        errors:
          with:
            ERROR
        retry:
          delay:
            DELAY
`;

function inside(mark: string) {
  return at(WORKFLOW.replace(mark, "|").replace(/\b(WITH|TASK|AGENT|INNER|ERROR|DELAY)\b/g, ""));
}

describe("keys", () => {
  it("are those of the mapping that is being written, without what is there", () => {
    expect(keysFor(at("document:\n  name: a\n|\ndo: []"))).toEqual(["input", "use", "timeout", "output", "evaluate"]);
    expect(keysFor(at("document:\n  name: a\n  |\n  dsl: '1'"))).not.toContain("dsl");
    expect(keysFor(inside("WITH"))).toEqual(["endpoint", "headers", "query", "body", "output", "redirect"]);
    expect(keysFor(inside("AGENT"))).toContain("prompt");
  });

  it("of a task are its kinds, until it has one", () => {
    expect(keysFor(inside("TASK"))).toEqual(["input", "output", "export", "timeout", "then", "metadata"]);
    const fresh = keysFor(inside("INNER"));
    expect(fresh).toContain("call");
    expect(fresh).not.toContain("with");
    expect(keysFor(at("do:\n  - a:\n      for: {}\n      |"))).toContain("while");
  });

  it("know the same word in different places", () => {
    expect(keysFor(inside("ERROR"))).toContain("status");
    expect(keysFor(inside("DELAY"))).toContain("seconds");
    expect(keysFor(at("input:\n  schema:\n    document:\n      |"))).toContain("properties");
    expect(keysFor(at("input:\n  schema:\n    document:\n      properties:\n        name:\n          |"))).toContain(
      "maxLength",
    );
    expect(keysFor(at("do:\n  - choose:\n      switch:\n        - large:\n            |"))).toEqual(["when", "then"]);
  });

  it("are not made up where names are free", () => {
    expect(keysFor(at("do:\n  - a:\n      set:\n        |"))).toEqual([]);
    expect(keysFor(at("input:\n  schema:\n    document:\n      properties:\n        |"))).toEqual([]);
  });
});

it("offers the values that a key takes, agents by their names", () => {
  expect(valuesFor(inside("INNER"), "call", [])).toEqual(["http", "agent"]);
  expect(valuesFor(inside("AGENT"), "agent", ["echo"])).toEqual(["echo"]);
  expect(valuesFor(inside("WITH"), "method", [])).toContain("post");
  expect(valuesFor(inside("WITH"), "endpoint", [])).toEqual([]);
});

it("indents below a key without a value, and below the name of a task", () => {
  expect(indentAfter("  - fetch:")).toBe(6);
  expect(indentAfter("do:")).toBe(2);
  expect(indentAfter("      with: ")).toBe(8);
  expect(indentAfter("        command: |")).toBe(10);
  expect(indentAfter("      call: http")).toBeUndefined();
  expect(indentAfter("")).toBeUndefined();
});
