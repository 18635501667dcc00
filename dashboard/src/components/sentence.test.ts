import { expect, it } from "vitest";
import { sentence } from "./sentence";

it("begins large and ends once", () => {
  expect(sentence("the execution has taken the 5 seconds of its budget")).toBe(
    "The execution has taken the 5 seconds of its budget.",
  );
  expect(sentence("Done.")).toBe("Done.");
  expect(sentence("1 of 1 calls are used")).toBe("1 of 1 calls are used.");
});
