import { expect, it } from "vitest";
import { isMeant, tagsOf, tagText } from "./tags";

const workflow = {
  namespace: "shop",
  name: "order",
  title: "Takes an order",
  summary: null,
  tags: { team: "core", urgent: true, levels: [1, 2] },
};

it("shows tags of every kind as words", () => {
  expect(tagsOf(workflow.tags).map(tagText)).toEqual(["team: core", "urgent", "levels: 1, 2"]);
});

it("finds a workflow by name, title or a tag, and by nothing else", () => {
  for (const typed of ["shop/ord", "TAKES", "team: core", "urgent", ""]) expect(isMeant(workflow, typed)).toBe(true);
  for (const typed of ["team: edge", "null"]) expect(isMeant(workflow, typed)).toBe(false);
});
