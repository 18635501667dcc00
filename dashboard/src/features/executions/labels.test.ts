import { expect, it } from "vitest";
import { isSame, labelsOfLines, linesOf } from "./labels";

const lines = (...pairs: [string, string][]) => pairs.map(([name, value], key) => ({ key, name, value }));

it("gives back the labels that it was made of, whatever characters they hold", () => {
  const labels = { team: "core, and others", "a=b": "c=d", empty: "" };
  expect(labelsOfLines(linesOf(labels))).toEqual({ labels, problems: new Map() });
});

it("says of which line the service would refuse what, and leaves empty lines out", () => {
  const { labels, problems } = labelsOfLines(
    lines(["team", "core"], ["", ""], ["", "lost"], ["team", "other"], ["long", "x".repeat(256)], ["n".repeat(64), ""]),
  );
  expect(labels).toEqual({ team: "core" });
  expect([...problems]).toEqual([
    [2, "name"],
    [3, "twice"],
    [4, "value"],
    [5, "name"],
  ]);
});

it("sees a change of any label", () => {
  expect(isSame({ a: "1", b: "2" }, { b: "2", a: "1" })).toBe(true);
  expect(isSame({ a: "1" }, { a: "2" })).toBe(false);
  expect(isSame({ a: "1" }, { a: "1", b: "" })).toBe(false);
});
