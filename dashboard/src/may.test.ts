import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { actions, may, roles, rolesUpTo } from "./may";

/** `/// …` and `ExecutionStart "execution_start" (Some(…)) None Own Tenant Platform;`, as the service has it. */
function tableOfTheService(): Map<string, string[]> {
  const source = readFileSync(join(import.meta.dirname, "../../src/domain/permission.rs"), "utf8");
  const rows = source.matchAll(/^ {4}\w+ "(\w+)" \(.+\) (\w+) (\w+) (\w+) (\w+);$/gm);
  return new Map([...rows].map(([, action = "", ...reaches]) => [action, reaches]));
}

it("says what the service says", () => {
  const service = tableOfTheService();
  expect(actions.toSorted()).toEqual([...service.keys()].sort());
  for (const action of actions) {
    const known = roles.map((role) => (may(role, action, false) ? "all" : may(role, action, true) ? "own" : "none"));
    const wanted = service.get(action)?.map((reach) => (/Tenant|Platform/.test(reach) ? "all" : reach.toLowerCase()));
    expect(known, action).toEqual(wanted);
  }
});

it("lets a viewer look and a member touch what is theirs", () => {
  expect(may("viewer", "workflow_run")).toBe(false);
  expect(may("viewer", "execution_steer")).toBe(false);
  expect(may("member", "workflow_run", false)).toBe(true);
  expect(may("member", "agent_change", false)).toBe(false);
  expect(may("member", "agent_change", true)).toBe(true);
  expect(may(undefined, "queue_read")).toBe(false);
});

it("gives nobody a role above the own one", () => {
  expect(rolesUpTo("admin")).toEqual(["viewer", "member", "admin"]);
  expect(rolesUpTo(undefined)).toEqual([]);
});
