import { expect, it } from "vitest";
import { indented, isSentence } from "./indented";

it("indents JSON and leaves everything else as it is", () => {
  expect(indented('{"error":{"code":7}}')).toBe('{\n  "error": {\n    "code": 7\n  }\n}');
  expect(indented('{"error": {"co')).toBe('{"error": {"co');
  expect(indented("line one\nline two")).toBe("line one\nline two");
});

it("tells a sentence from what a program has printed", () => {
  expect(isSentence("the command ended with exit code 3 and wrote nothing to standard error")).toBe(true);
  for (const printed of ['{"a": 1}', "<html>", "one\ntwo", "x".repeat(300)]) expect(isSentence(printed)).toBe(false);
});
