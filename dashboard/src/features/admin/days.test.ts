import { afterEach, expect, it, vi } from "vitest";
import { dayOf, instantOf } from "./days";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("counts days as they are where the reader is, and includes the last one", () => {
  vi.stubEnv("TZ", "Asia/Shanghai");
  expect(instantOf("after", "2026-03-01")).toBe("2026-02-28T16:00:00.000Z");
  expect(instantOf("before", "2026-03-01")).toBe("2026-03-01T16:00:00.000Z");
  for (const end of ["after", "before"] as const) expect(dayOf(end, instantOf(end, "2026-03-01"))).toBe("2026-03-01");
});

it("shows no day for what is none", () => {
  expect([instantOf("after", ""), dayOf("after", undefined), dayOf("before", "yesterday")]).toEqual(["", "", ""]);
});
