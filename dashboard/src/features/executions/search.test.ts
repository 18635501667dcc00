import { expect, it } from "vitest";
import { filterOf, isFiltered, type ListSearch, labelsOf, parseListSearch, searchOf } from "./search";

it("leaves out of an address what it does not understand", () => {
  expect(
    parseListSearch({ status: "failed,lost,running", type: "nothing", since: "2y", q: "", workflow: "a/b" }),
  ).toEqual({
    status: "failed,running",
    type: undefined,
    workflow: "a/b",
    agent: undefined,
    label: undefined,
    since: undefined,
    q: undefined,
  });
  expect(parseListSearch({ columns: "lost", view: "" })).toEqual({});
  expect(parseListSearch({ columns: "owner,lost,version", view: "7" })).toEqual({
    columns: "version,owner",
    view: "7",
  });
  expect(parseListSearch({ columns: "none" }).columns).toBe("none");
});

it("takes for a filter only what leaves something out", () => {
  expect(isFiltered(parseListSearch({ columns: "owner", view: "7" }))).toBe(false);
  expect(isFiltered(parseListSearch({ q: "x" }))).toBe(true);
});

it("makes the same filter of the same address for as long as one looks", () => {
  const at = Date.parse("2026-03-01T10:20:30Z");
  const search = parseListSearch({ since: "1h", status: "failed" });
  expect(filterOf(search, at)).toMatchObject({ after: "2026-03-01T09:20:00.000Z", status: ["failed"] });
  expect(filterOf(search, at + 20_000)).toEqual(filterOf(search, at));
});

it("leads from a filter back to the list it belongs to", () => {
  const search: ListSearch = {
    status: "paused,failed",
    continued: "false",
    parent: "7",
    workflow: "a/b",
    label: "team=core,batch=x=y",
    q: "deep",
  };
  expect(searchOf(filterOf(search, 0))).toEqual(search);
});

it("reads labels, also such with an equals sign in their value", () => {
  expect(labelsOf("team=core, formula = a=b,broken")).toEqual({ team: "core", formula: "a=b" });
  expect(labelsOf(undefined)).toBeUndefined();
});
