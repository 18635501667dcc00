import { expect, it } from "vitest";
import { duration, formatsOf } from "./format";

const NOW = Date.parse("2026-03-01T12:00:00Z");

it("says how long ago something was as people of the language write it", () => {
  const ago = (language: string, ms: number) => formatsOf(language).ago(new Date(NOW - ms).toISOString(), NOW);
  expect(["en", "zh-CN"].map((language) => ago(language, 2_000))).toEqual(["now", "刚刚"]);
  expect(["en", "zh-CN"].map((language) => ago(language, 25_000))).toEqual(["25 sec. ago", "25 秒前"]);
  expect(["en", "zh-CN"].map((language) => ago(language, 3 * 86_400_000))).toEqual(["3 days ago", "3 天前"]);
});

it("says how long something took by the parts that matter, also just before the next one begins", () => {
  const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
  const said = [412, 3_400, 9_949, 59_499, minute - 400, 125_000, hour - 400, 80 * minute, day - 400, 76 * hour];
  expect(said.map(duration)).toEqual([
    "412 ms",
    "3.4 s",
    "9.9 s",
    "59 s",
    "1 m 00 s",
    "2 m 05 s",
    "1 h 00 m",
    "1 h 20 m",
    "1 d 0 h",
    "3 d 4 h",
  ]);
});

it("writes days and times as the reader's region does", () => {
  const instant = "2026-03-01T15:04:05Z";
  const hour = String(new Date(instant).getHours()).padStart(2, "0");
  expect(formatsOf("en", "en-GB").moment(instant)).toContain("1 Mar 2026");
  expect(formatsOf("en", "en-GB").moment(instant)).toContain(`${hour}:04:05`);
  expect(formatsOf("en").moment(instant)).toMatch(/Mar 1, 2026, \d+:04:05\s[AP]M/);
});
