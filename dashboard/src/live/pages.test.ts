import { describe, expect, it } from "vitest";
import type { Page } from "@/api/executions";
import { row, update } from "@/test/factories";
import { AGAIN, distrusted, LONGEST_HEAD, MAX_HELD, patchPages, Rows, released, shortened, withHead } from "./pages";

/** Ids count down: newest first. */
function page(from: number, to: number, more: Partial<Page> = {}): Page {
  const ids = Array.from({ length: from - to + 1 }, (_, index) => String(from - index).padStart(6, "0"));
  return { items: ids.map((id) => row({ id })), ...more };
}

const ids = (pages: readonly Page[]) => pages.map(({ items }) => items.map(({ id }) => Number(id)));

describe("a beginning that was read again", () => {
  it("takes the place of the old one, and what lies below stays the same object", () => {
    const second = page(7, 5, { cursor: "b" });
    const next = withHead([page(10, 8, { next: "b" }), second], page(12, 9, { next: "x" }));
    expect(ids(next)).toEqual([
      [12, 11, 10, 9, 8],
      [7, 6, 5],
    ]);
    expect(next[0]?.next).toBe("b");
    expect(next[1]).toBe(second);
  });

  it("loses what does not belong any more", () => {
    const head = { ...page(10, 8, { next: "x" }), items: page(10, 8).items.filter(({ id }) => !id.endsWith("9")) };
    expect(ids(withHead([page(10, 7, { next: "b" })], head))).toEqual([[10, 8, 7]]);
  });

  it("is all there is when more has come in than was read, and when nothing follows it", () => {
    expect(ids(withHead([page(10, 8, { next: "b" }), page(7, 5)], page(30, 28, { next: "x" })))).toEqual([
      [30, 29, 28],
    ]);
    expect(ids(withHead([page(10, 8, { next: "b" }), page(7, 5)], page(9, 8)))).toEqual([[9, 8]]);
  });

  it("begins the list anew when it reaches beyond the page that it is the beginning of", () => {
    const next = withHead([page(10, 8, { next: "b" }), page(7, 5, { cursor: "b" })], page(10, 6, { next: "x" }));
    expect([ids(next), next[0]?.next]).toEqual([[[10, 9, 8, 7, 6]], "x"]);
  });
});

describe("pages that are let go", () => {
  const many = Array.from({ length: 20 }, (_, index) =>
    page(10_000 - index * 500, 10_000 - index * 500 - 499, { cursor: String(index), next: String(index + 1) }),
  );

  it("are those far from what is looked at, never the first, and only when there is too much", () => {
    expect(released(many.slice(0, MAX_HELD / 500), 0, 0)).toEqual(many.slice(0, MAX_HELD / 500));
    const kept = released(many, 10, 10);
    const held = kept.flatMap((one, index) => (one.released ? [] : [index]));
    expect(held).toEqual([0, 8, 9, 10, 11, 12]);
    const [before, after] = [new Rows(many), new Rows(kept)];
    expect(after.count).toBe(before.count);
    expect(after.at(5_000)?.id).toBe(before.at(5_000)?.id);
    expect(after.at(600)).toBeUndefined();
    expect([after.pageAt(0), after.pageAt(499), after.pageAt(500), after.pageAt(9_999)]).toEqual([0, 0, 1, 19]);
    expect(after.placeOf(before.at(5_001)?.id)).toBe(5_001);
    expect(after.placeOf(before.at(600)?.id)).toBe(-1);
  });

  it("do not take in what belongs to them: it comes when they are read again", () => {
    const kept = released(many, 10, 10);
    // Of a page that was let go, of one that is there, and new.
    const updates = ["009000", "005000", "010001"].map((id) => update({ id, status: "failed", last_seq: 9 }));
    const { data } = patchPages(kept, {}, updates);
    expect(new Rows(data).count).toBe(10_001);
    expect(data[2]).toBe(kept[2]);
    expect(data[10]?.items[0]?.status).toBe("failed");
    expect(data[0]?.items[0]?.id).toBe("010001");
  });

  it("are none any more when the beginning alone is too much", () => {
    const grown = [page(20_000, 10_001), ...many];
    const kept = released(grown, 1, 1);
    expect(kept.length).toBe(21);
    expect(released(kept, 1, 1)).toBe(kept);
  });

  it("are all but the first when nothing is sure", () => {
    const list = distrusted(many);
    expect([list[0]?.items.length, list[1]?.items.length, new Rows(list).count]).toEqual([500, 0, 10_000]);
  });
});

it("is read again when what it ends with has left it: what comes in may lie beyond it", () => {
  const running = { status: ["running" as const] };
  const list = [page(10, 9), { ...page(8, 8, { cursor: "b", next: "c" }), items: [] }];
  const { data, isStale } = patchPages(list, running, [update({ id: "000003" }), update({ id: "000011" })]);
  expect([ids(data), isStale]).toEqual([[[11, 10, 9], []], true]);
  const empty = patchPages([{ items: [], next: "c" }], running, [update({ id: "000003" })]);
  expect([ids(empty.data), empty.isStale]).toEqual([[[]], true]);
});

it("takes back the last row of what was read when it belongs again", () => {
  const running = { status: ["running" as const] };
  const list = [page(10, 8, { next: "b", end: row({ id: "000008" }) })];
  const without = patchPages(list, running, [update({ id: "000008", status: "waiting", last_seq: 3 })]).data;
  expect(ids(without)).toEqual([[10, 9]]);
  const again = patchPages(without, running, [update({ id: "000008", last_seq: 4 })]).data;
  expect(ids(again)).toEqual([[10, 9, 8]]);
  // What lies below it comes with the next page.
  expect(ids(patchPages(again, running, [update({ id: "000007" })]).data)).toEqual([[10, 9, 8]]);
});

it("goes by when something was created, whatever its id: that of a child says nothing about the time", () => {
  const at = (id: string, minute: number) => ({ id, created_at: `2026-03-01T09:0${minute}:00.000000Z` });
  const first: Page = { items: [row(at("0004", 4)), row(at("0003", 3))], next: "b", end: at("0003", 3) };
  const second: Page = { items: [row(at("f002", 2)), row(at("0001", 1))], cursor: "b" };
  const updates = [update(at("f003", 4)), update(at("e001", 2)), update(at("0005", 5))];
  const all = patchPages([first, second], {}, updates).data;
  expect(all.map(({ items }) => items.map(({ id }) => id))).toEqual([
    ["0005", "f003", "0004", "0003"],
    ["f002", "e001", "0001"],
  ]);
  expect(new Rows(all).placeOf("e001")).toBe(5);
  // What was created before the end of what was read comes with the next page.
  expect(patchPages([first], {}, [update(at("e001", 2))]).data[0]?.items).toHaveLength(2);
});

it("does not grow for ever by what comes in", () => {
  let pages: readonly Page[] = [page(50, 1, { next: "b" })];
  for (let id = 51; id <= LONGEST_HEAD + 51; id += 1)
    pages = patchPages(pages, {}, [update({ id: String(id).padStart(6, "0") })]).data;
  const [first] = pages;
  expect(first?.items.length).toBeLessThanOrEqual(LONGEST_HEAD);
  expect([Number(first?.items[0]?.id), first?.next]).toEqual([LONGEST_HEAD + 51, AGAIN]);
});

it("does not grow for ever either when it was read on in, as long as one looks at its beginning", () => {
  const grown = [page(2_000, 801, { next: "b" }), page(800, 301, { cursor: "b", next: "c" })];
  expect(shortened(grown, 501)).toBe(grown);
  const [first, ...rest] = shortened(grown, 320);
  expect([first?.items.length, first?.next, rest.length]).toEqual([LONGEST_HEAD / 2, AGAIN, 0]);
});

it("is read again when little of it is left and more follows", () => {
  const paused = { status: ["paused" as const] };
  const gone = [10, 9, 8].map((id) => update({ id: String(id).padStart(6, "0"), status: "running", last_seq: 9 }));
  const list = (next?: string) => [
    { ...page(30, 6, { next }), items: page(30, 6).items.map((row) => ({ ...row, status: "paused" as const })) },
  ];
  expect(patchPages(list("b"), paused, gone).isStale).toBe(true);
  expect(patchPages(list(), paused, gone).isStale).toBe(false);
  expect(patchPages(list("b"), {}, gone).isStale).toBe(false);
});
