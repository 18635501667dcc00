import { expect, it } from "vitest";
import { monthBegin } from "./limits";

it("begins months at midnight UTC, as the service does", () => {
  expect(monthBegin(Date.parse("2026-03-31T23:59:59Z"))).toBe("2026-03-01T00:00:00.000Z");
  expect(monthBegin(Date.parse("2026-04-01T01:00:00+02:00"))).toBe("2026-03-01T00:00:00.000Z");
});
