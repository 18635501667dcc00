import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { SavedViewDetail } from "@/api/generated/schema";
import { columns } from "./columns";
import { parseViews } from "./localViews";
import { parseListSearch, spans } from "./search";
import { differs, freeName, queryOf, searchOf, sorted, transfers } from "./view";

function view(name: string, query: Record<string, string>, owner = "ada"): SavedViewDetail {
  const at = "2026-03-01T10:00:00.000000Z";
  return {
    id: `id of ${name}`,
    tenant_id: "blue",
    created_by: owner,
    created_by_name: owner,
    list: "executions",
    name,
    query,
    is_shared: false,
    created_at: at,
    updated_at: at,
  };
}

it("keeps what a page shows, and shows it again", () => {
  const search = parseListSearch({ status: "failed", label: " team = core ,broken", q: "out of" });
  const query = queryOf(search, ["owner", "created"]);
  expect(query).toEqual({
    status: "failed",
    label: "team=core",
    q: "out of",
    columns: "owner,created",
  });
  const opened = searchOf(view("a", query));
  expect(opened).toMatchObject({ ...query, view: "id of a" });
  expect(queryOf(opened)).toEqual(query);
  expect(queryOf(parseListSearch({ workflow: "hello", q: " " }), [])).toEqual({ columns: "none" });
});

it("tells when a page does not look like its view any more", () => {
  const kept = view("a", { status: "failed", columns: "created,owner", later: "1" });
  const opened = searchOf(kept);
  expect(differs(opened, kept)).toBe(false);
  expect(differs({ ...opened, q: "x" }, kept)).toBe(true);
  expect(differs({ ...opened, status: undefined }, kept)).toBe(true);
  expect(differs({ ...opened, columns: "none" }, kept)).toBe(true);
  expect(differs({ ...opened, view: undefined }, kept)).toBe(false);
});

it("keeps the own ones apart from those of others", () => {
  const views = [view("a", {}), view("b", {}, "bob")];
  expect(sorted(views, "ada")).toEqual({ mine: [views[0]], shared: [views[1]] });
  expect(sorted(views, undefined).mine).toEqual([]);
});

it("reads what a browser has kept, and leaves out what it does not understand", () => {
  const stored = JSON.stringify([{ name: "old", search: { status: "failed", more: 1 } }, { name: 7 }, null, "x"]);
  expect(parseViews(stored)).toMatchObject([{ name: "old", search: { status: "failed" } }]);
  for (const text of [null, "", "{", "{}", "null"]) expect(parseViews(text)).toEqual([]);
});

it("takes over what the service does not have, under names that are free", () => {
  const [same, other, twin, again] = parseViews(
    JSON.stringify([
      { name: "failed", search: { status: "failed" } },
      { name: "slow", search: { since: "7d" } },
      { name: "slow ", search: { since: "1h" } },
      { name: "odd", search: { label: "broken", workflow: "nothing" } },
    ]),
  );
  const mine = [view("failed", { status: "failed" }), view("slow", {})];
  expect(
    transfers(
      [same, other, twin, again].filter((one) => one !== undefined),
      mine,
    ),
  ).toEqual([
    { local: same },
    { local: other, create: { name: "slow (2)", query: { since: "7d" } } },
    { local: twin, create: { name: "slow (3)", query: { since: "1h" } } },
    { local: again, create: { name: "odd", query: {} } },
  ]);
});

it("makes no name that is too long", () => {
  const long = "长".repeat(90);
  const first = freeName(long, new Set());
  expect([...first]).toHaveLength(80);
  expect([...freeName(long, new Set([first]))]).toHaveLength(80);
  expect(freeName(long, new Set([first]))).toMatch(/ \(2\)$/);
});

it("says what the service can keep", () => {
  const source = readFileSync(join(import.meta.dirname, "../../../../src/domain/saved_view.rs"), "utf8");
  const words = (name: string) => source.match(new RegExp(`const ${name}: .* = \\[(.*)\\];`))?.[1]?.match(/[\w]+/g);
  expect(words("COLUMNS")).toEqual([...columns]);
  expect(words("SPANS")).toEqual([...spans]);
  const known = [...source.matchAll(/ name: "(\w+)"/g)].map(([, name]) => name);
  const said = Object.keys(parseListSearch({})).filter((name) => name !== "view");
  expect(known.toSorted()).toEqual(said.toSorted());
});
