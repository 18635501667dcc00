import { expect, it } from "vitest";
import { asText } from "./compare";

it("takes objects whose fields are in another order for the same", () => {
  expect(asText({ y: 2, x: [{ b: 1, a: 2 }] })).toBe(asText({ x: [{ a: 2, b: 1 }], y: 2 }));
  expect(asText([1, 2])).not.toBe(asText([2, 1]));
  expect(asText(undefined)).toBe("");
});
