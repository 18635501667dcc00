import i18next from "i18next";
import { expect, it } from "vitest";
import { startLanguages } from ".";

it("writes the numbers of a sentence as its language does", async () => {
  await startLanguages("en");
  expect(i18next.t("events.count", { count: 20_000 })).toBe("20,000 events");
  expect(i18next.t("diff.cut", { shown: "5,000" })).toContain("5,000 lines");
});
