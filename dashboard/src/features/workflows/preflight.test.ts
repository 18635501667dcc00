import { expect, it } from "vitest";
import type { TouchView } from "@/api/generated/schema";
import { badCount, groupsOf } from "./preflight";

function touch(subject: string, task: string, fields: Partial<TouchView> = {}): TouchView {
  return { kind: "agent", subject, task, is_computed: false, at_most: 1, verdict: "ready", ...fields };
}

it("shows each thing once, with all that touch it, and what would fail first", () => {
  const touches = [
    touch("echo", "/do/0/a", { at_most: 3 }),
    touch("echo", "/do/1/b"),
    touch("nobody", "/do/2/c", { verdict: "missing" }),
    touch("nobody", "/do/3/d", { verdict: "missing", at_most: null }),
    touch("echo", "/do/4/e", { is_computed: true, verdict: "unknown" }),
    touch("https://example.com", "/do/5/f", { kind: "request", verdict: "refused" }),
  ];
  const groups = groupsOf(touches);
  expect(groups.map((group) => group.kind)).toEqual(["agent", "request"]);
  expect(groups[0]?.things.map(({ subject, tasks, atMost }) => [subject, tasks.length, atMost])).toEqual([
    ["nobody", 2, undefined],
    ["echo", 2, 4],
    ["echo", 1, 1],
  ]);
  const secrets = [
    { name: "KEY", verdict: "missing" as const },
    { name: "OTHER", verdict: "ready" as const },
  ];
  const view = { is_ready: false, touches, secrets, model_calls_at_most: null, requests_at_most: 1 };
  expect(badCount(view)).toBe(3);
});
