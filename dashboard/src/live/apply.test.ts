import { describe, expect, it } from "vitest";
import { type ExecutionPages, executionKeys, type Filter, type Row } from "@/api/executions";
import type { EventView, ServerFrame } from "@/api/generated/schema";
import { event, eventFrame, row, updateFrame } from "@/test/factories";
import { apply } from "./apply";

function listOf(...ids: string[]) {
  return { pages: [{ items: ids.map((id) => row({ id })) }] };
}

function idsAfter(frames: ServerFrame[], key: readonly unknown[], data: unknown): string[] {
  const changes = apply(frames, [{ key, data }]);
  const next = (changes.set[0]?.data ?? data) as ExecutionPages;
  return next.pages.flatMap((page) => page.items.map((item) => item.id));
}

describe("lists", () => {
  const key = executionKeys.list({});

  it("shows a new execution at its place and a repeated frame once", () => {
    expect(idsAfter([updateFrame({ id: "3" }), updateFrame({ id: "3" })], key, listOf("4", "2", "1"))).toEqual([
      "4",
      "3",
      "2",
      "1",
    ]);
  });

  it("keeps the newer of what is shown and what arrives", () => {
    const data = listOf("1");
    const newer = apply([updateFrame({ id: "1", last_seq: 9, status: "failed" })], [{ key, data }]);
    const shown = newer.set[0]?.data as ExecutionPages;
    expect(shown.pages[0]?.items[0]?.status).toBe("failed");
    const older = apply([updateFrame({ id: "1", last_seq: 4, status: "running" })], [{ key, data: shown }]);
    expect(older.set).toEqual([]);
  });

  it("takes the newest of several updates that arrive together, in whatever order", () => {
    const frames = [
      updateFrame({ id: "1", last_seq: 7, status: "succeeded" }),
      updateFrame({ id: "1", last_seq: 5, status: "running" }),
    ];
    const changes = apply(frames, [{ key, data: listOf("1") }]);
    const shown = changes.set[0]?.data as ExecutionPages;
    expect(shown.pages[0]?.items[0]?.status).toBe("succeeded");
  });

  it("obeys the filter: what does not belong stays out, what does not belong any more goes", () => {
    const running = executionKeys.list({ status: ["running"] });
    expect(idsAfter([updateFrame({ id: "2", status: "pending" })], running, listOf("1"))).toEqual(["1"]);
    expect(idsAfter([updateFrame({ id: "1", status: "failed", last_seq: 8 })], running, listOf("1"))).toEqual([]);
  });

  it("reads a list again whose filter only the service can judge", () => {
    const searched = executionKeys.list({ q: "Ada" });
    const changes = apply([updateFrame({ id: "9" })], [{ key: searched, data: listOf("1") }]);
    expect(changes.set).toEqual([]);
    expect(changes.stale).toEqual([searched]);
  });

  it("leaves executions that are older than what was read to the next page", () => {
    const data = { pages: [{ items: [row({ id: "5" })], next: "more" }] };
    expect(idsAfter([updateFrame({ id: "3" })], key, data)).toEqual(["5"]);
  });
});

describe("what is retried", () => {
  const failed = row({ id: "3", status: "failed", last_seq: 8 });
  const other = row({ id: "1", status: "failed", last_seq: 8 });
  const list = { pages: [{ items: [failed, other] }] };
  const all = executionKeys.list({ status: ["failed"] });
  const open = executionKeys.list({ status: ["failed"], continued: false });
  const shown = (key: readonly unknown[], frames: ServerFrame[], data: ExecutionPages = list) => {
    const changes = apply(frames, [{ key, data }]);
    const next = (changes.set[0]?.data ?? data) as ExecutionPages;
    return { rows: next.pages.flatMap(({ items }) => items), next, stale: changes.stale };
  };

  it("says so as soon as its retry is there, and leaves what is still to be looked after", () => {
    const frame = updateFrame({ id: "5", continues: "3", status: "pending" });
    const first = shown(all, [frame]);
    expect(first.rows.map((one) => [one.id, one.continued_by])).toEqual([
      ["3", "5"],
      ["1", undefined],
    ]);
    expect(first.stale).toEqual([]);
    expect(shown(open, [frame]).rows.map(({ id }) => id)).toEqual(["1"]);
  });

  it("has parts of it read again, which may be done again with it: once, and not with each step of the retry", () => {
    const frame = updateFrame({ id: "5", continues: "3" });
    const part = row({ id: "4", status: "failed", parent_execution_id: "3" });
    const entries = [
      { key: open, data: { pages: [{ items: [part] }] } },
      { key: executionKeys.detail("4"), data: part },
      { key: executionKeys.detail("1"), data: other },
    ];
    expect(apply([frame], entries).stale).toEqual([open, executionKeys.detail("4")]);
    expect(apply([frame], entries, (id) => id === "5").stale).toEqual([]);
  });

  it("names the newest of several retries, whichever moved last", () => {
    const frames = [updateFrame({ id: "6", continues: "3" }), updateFrame({ id: "5", continues: "3" })];
    const newest = shown(all, frames);
    expect(newest.rows[0]?.continued_by).toBe("6");
    const later = shown(all, [updateFrame({ id: "5", continues: "3", status: "succeeded" })], newest.next);
    expect(later.rows[0]?.continued_by).toBe("6");
  });

  it("is one thing to look after when the retry has failed, too: the retry", () => {
    const frames = [updateFrame({ id: "5", continues: "3", status: "failed", last_seq: 9 })];
    expect(shown(open, frames).rows.map(({ id }) => id)).toEqual(["5", "1"]);
    // Both have come while one was away.
    const missed = [updateFrame({ id: "2", status: "failed", last_seq: 8 }), ...frames];
    missed.push(updateFrame({ id: "4", continues: "2", last_seq: 2 }));
    expect(shown(open, missed).rows.map(({ id }) => id)).toEqual(["5", "1"]);
  });

  it("says so on its own page", () => {
    const key = executionKeys.detail("3");
    const changes = apply([updateFrame({ id: "5", continues: "3" })], [{ key, data: failed }]);
    expect(changes.set[0]?.data).toMatchObject({ id: "3", status: "failed", continued_by: "5" });
  });

  it("has numbers read again that it is, or was, part of", () => {
    const count = (filter: Filter, frame: ServerFrame) =>
      apply([frame], [{ key: executionKeys.count(filter), data: { total: 1, isExact: true } }]).stale.length;
    expect(count({ parent: "3" }, updateFrame({ id: "4", parent_execution_id: "3" }))).toBe(1);
    expect(count({ parent: "3" }, updateFrame({ id: "4" }))).toBe(0);
    expect(count({ status: ["failed"], continued: false }, updateFrame({ id: "5", continues: "3" }))).toBe(1);
  });
});

describe("what is active", () => {
  it("comes with its start and goes with its end", () => {
    const started = apply([updateFrame({ id: "2" })], [{ key: executionKeys.active, data: [row({ id: "1" })] }]);
    const both = started.set[0]?.data as Row[];
    expect(both.map((one) => one.id)).toEqual(["2", "1"]);
    const ended = apply(
      [updateFrame({ id: "2", status: "succeeded", last_seq: 8 })],
      [{ key: executionKeys.active, data: both }],
    );
    expect((ended.set[0]?.data as Row[] | undefined)?.map((one) => one.id)).toEqual(["1"]);
  });
});

it("reads again what is active when those that were read have ended: there may have been more", () => {
  const rows = Array.from({ length: 101 }, (_, index) => row({ id: String(index + 100) }));
  const key = executionKeys.active;
  const ends = ["100", "101"].map((id) => updateFrame({ id, status: "succeeded", last_seq: 8 }));
  expect(apply(ends.slice(1), [{ key, data: rows }]).stale).toEqual([]);
  expect(apply(ends, [{ key, data: rows }]).stale).toEqual([key]);
  expect(apply(ends, [{ key, data: rows.slice(0, 50) }]).stale).toEqual([]);
});

describe("journals", () => {
  const key = executionKeys.events("e1");

  it("adds each event once", () => {
    const data = [event(1), event(2)];
    const frames = [eventFrame(event(2)), eventFrame(event(3)), eventFrame(event(3)), eventFrame(event(4))];
    const changes = apply(frames, [{ key, data }]);
    expect((changes.set[0]?.data as EventView[] | undefined)?.map((one) => one.seq)).toEqual([1, 2, 3, 4]);
    expect(changes.stale).toEqual([]);
  });

  it("never shows a gap: it reads again instead", () => {
    const changes = apply([eventFrame(event(5))], [{ key, data: [event(1)] }]);
    expect(changes.set).toEqual([]);
    expect(changes.stale).toEqual([key]);
  });
});

describe("log lines", () => {
  const key = executionKeys.logs("e1");

  it("are read again when some may have come while nobody listened: no further line would tell", () => {
    const hello: ServerFrame = { type: "hello", data: { session: "s", position: 9, heartbeat_seconds: 30 } };
    expect(apply([hello], [{ key, data: [] }]).stale).toEqual([key]);
    const ended = updateFrame({ id: "e1", status: "succeeded", finished_at: "2026-03-01T09:00:02Z" });
    expect(apply([ended], [{ key, data: [] }]).stale).toEqual([key]);
    expect(apply([updateFrame({ id: "e1" })], [{ key, data: [] }]).stale).toEqual([]);
  });
});

describe("streamed output", () => {
  const key = executionKeys.output("e1");
  const delta = (n: number, text: string, from = n): ServerFrame => ({
    type: "output_delta",
    data: { execution_id: "e1", task: "/do/0/ask", path: "s0:ask", n, from, text },
  });

  it("puts pieces together, ignores repeated ones and notes missing ones", () => {
    const changes = apply([delta(1, "Ac"), delta(2, "tors"), delta(2, "tors")], [{ key, data: {} }]);
    expect(changes.set[0]?.data).toEqual({ "s0:ask": { task: "/do/0/ask", text: "Actors", n: 2, hasGap: false } });
    const late = apply([delta(4, "late")], [{ key, data: changes.set[0]?.data }]);
    expect(late.set[0]?.data).toMatchObject({ "s0:ask": { text: "Actorslate", hasGap: true } });
  });

  it("shows once what was said before and while nobody watched", () => {
    const data = { "s0:ask": { task: "/do/0/ask", text: "Actors", n: 2, hasGap: false } };
    const changes = apply([delta(5, "Actors never share", 1), delta(6, " state")], [{ key, data }]);
    expect(changes.set[0]?.data).toEqual({
      "s0:ask": { task: "/do/0/ask", text: "Actors never share state", n: 6, hasGap: false },
    });
  });

  it("begins anew with the first piece of another attempt", () => {
    const data = { "s0:ask": { task: "/do/0/ask", text: "half an ans", n: 3, hasGap: true } };
    const changes = apply([delta(1, "again")], [{ key, data }]);
    expect(changes.set[0]?.data).toMatchObject({ "s0:ask": { text: "again", n: 1, hasGap: false } });
    // One that began while nobody watched, and has not come as far.
    const unseen = apply([delta(2, "other", 1)], [{ key, data }]);
    expect(unseen.set[0]?.data).toMatchObject({ "s0:ask": { text: "other", n: 2, hasGap: false } });
  });
});

it("reloads everything after a gap that the service cannot fill", () => {
  const resync = (reason: string): ServerFrame => ({ type: "resync", data: { reason, from: 3 } });
  expect(apply([resync("backlog")], []).stale).toContainEqual(["executions"]);
  expect(apply([resync("lagging")], []).stale).toEqual([]);
  // Of long lists the beginning; the rest when somebody looks at it.
  const data = { pages: [{ items: [row({ id: "3" })], next: "b" }, { items: [row({ id: "2" }), row({ id: "1" })] }] };
  const list = apply([resync("backlog")], [{ key: executionKeys.list({}), data }]).set[0]?.data as ExecutionPages;
  expect(list.pages).toMatchObject([
    { items: [{ id: "3" }] },
    { items: [], released: { count: 2, oldest: { id: "1" } } },
  ]);
});

it("compares again when one of the two has changed", () => {
  const entries = [{ key: executionKeys.diff("1", "2"), data: {} }];
  expect(apply([updateFrame({ id: "3" })], entries).stale).toEqual([]);
  expect(apply([updateFrame({ id: "2" })], entries).stale).toEqual([executionKeys.diff("1", "2")]);
});

it("asks for figures again when something has changed, and only then", () => {
  const entries = [
    { key: executionKeys.stats(24), data: {} },
    { key: ["queue"], data: {} },
  ];
  expect(apply([{ type: "pong" }], entries).stale).toEqual([]);
  expect(apply([updateFrame({ id: "1" })], entries).stale).toEqual([executionKeys.stats(24), ["queue"]]);
});
