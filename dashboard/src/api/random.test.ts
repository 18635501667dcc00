import { expect, it } from "vitest";
import { randomId } from "./random";

it("makes identifiers that the service takes for UUIDs, never the same twice", () => {
  const made = Array.from({ length: 200 }, randomId);
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(made).size).toBe(200);
});
