import { expect, it } from "vitest";
import { row } from "@/test/factories";
import { attention } from "./attention";

it("puts what asks a person before what has merely failed, and the newest first", () => {
  const at = (minute: number) => `2026-03-01T09:${minute}:00Z`;
  const paused = [
    row({ id: "by hand", status: "paused", updated_at: at(30) }),
    row({ id: "asks", status: "paused", pause_reason: "5 of 5 calls are used", updated_at: at(10) }),
    row({ id: "asks too", status: "paused", pause_reason: "5 of 5 calls are used", updated_at: at(20) }),
  ];
  const failed = [row({ id: "failed", status: "failed", finished_at: at(40), updated_at: at(40) })];
  expect(attention(paused, failed).map((one) => one.id)).toEqual(["asks too", "asks", "failed", "by hand"]);
});
