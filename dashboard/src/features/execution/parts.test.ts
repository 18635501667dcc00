import { expect, it } from "vitest";
import { partsOf } from "./parts";

it("shows where something is missing, and nothing else", () => {
  expect(partsOf("whole", [])).toEqual(["whole"]);
  expect(partsOf("the end", [0])).toEqual([undefined, "the end"]);
  expect(partsOf("Actorslate", [6])).toEqual(["Actors", undefined, "late"]);
  expect(partsOf("", [0])).toEqual([undefined]);
});
