import { expect, it } from "vitest";
import { diffOf } from "./Diff";

it("shows what changed with a little around it, and leaves out the rest", () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = before.with(10, "changed");
  const lines = diffOf(before.join("\n"), after.join("\n"));
  expect(lines.map((line) => `${line.kind} ${line.text}`)).toEqual([
    "gap …",
    "same line 7",
    "same line 8",
    "same line 9",
    "removed line 10",
    "added changed",
    "same line 11",
    "same line 12",
    "same line 13",
    "gap …",
  ]);
});

it("does not hold the page up when two long texts have nothing in common", () => {
  const text = (word: string) => Array.from({ length: 30_000 }, (_, index) => `${word} ${index}`).join("\n");
  const lines = diffOf(text("before"), text("after"));
  expect([lines.length, lines[0]?.kind, lines.at(-1)?.kind]).toEqual([60_000, "removed", "added"]);
}, 30_000);
