import { expect, it } from "vitest";
import { formatsOf } from "./format";

const NOW = Date.parse("2026-03-01T12:00:00Z");

it("says how long ago something was as people of the language write it", () => {
  const ago = (language: string, ms: number) => formatsOf(language).ago(new Date(NOW - ms).toISOString(), NOW);
  expect(["en", "zh-CN"].map((language) => ago(language, 2_000))).toEqual(["now", "刚刚"]);
  expect(["en", "zh-CN"].map((language) => ago(language, 25_000))).toEqual(["25 sec. ago", "25 秒前"]);
  expect(["en", "zh-CN"].map((language) => ago(language, 3 * 86_400_000))).toEqual(["3 days ago", "3 天前"]);
});
