import { expect, it } from "vitest";
import { rank } from "./rank";

it("finds words, and prefers what begins with them", () => {
  const entries = ["examples/endpoint-check Check endpoints", "Echo echo", "An echo chamber", "teleecho"];
  const found = entries.filter((entry) => rank(entry, "echo") > 0).sort((a, b) => rank(b, "echo") - rank(a, "echo"));
  expect(found).toEqual(["Echo echo", "An echo chamber", "teleecho"]);
});

it("wants every word, in any order", () => {
  expect(rank("examples/review-panel", "panel exam")).toBeGreaterThan(0);
  expect(rank("examples/review-panel", "panel shop")).toBe(0);
});
