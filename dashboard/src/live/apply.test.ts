import { describe, expect, it } from "vitest";
import { type ExecutionPages, executionKeys, type Row } from "@/api/executions";
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
    expect(changes.set[0]?.data).toEqual({ "s0:ask": { task: "/do/0/ask", text: "Actors", n: 2, gaps: [] } });
    const late = apply([delta(4, "late")], [{ key, data: changes.set[0]?.data }]);
    expect(late.set[0]?.data).toMatchObject({ "s0:ask": { text: "Actorslate", gaps: [6] } });
  });

  it("shows once what was said before and while nobody watched", () => {
    const data = { "s0:ask": { task: "/do/0/ask", text: "Actors", n: 2, gaps: [] } };
    const changes = apply([delta(5, "Actors never share", 1), delta(6, " state")], [{ key, data }]);
    expect(changes.set[0]?.data).toEqual({
      "s0:ask": { task: "/do/0/ask", text: "Actors never share state", n: 6, gaps: [] },
    });
  });

  it("knows that of a long output only the end is there for those who come late", () => {
    const late = delta(900, "the end", 1);
    if (late.type === "output_delta") late.data.is_cut = true;
    const changes = apply([late, delta(901, " of it")], [{ key, data: {} }]);
    expect(changes.set[0]?.data).toMatchObject({ "s0:ask": { text: "the end of it", gaps: [0] } });
  });

  it("begins anew with the first piece of another attempt", () => {
    const data = { "s0:ask": { task: "/do/0/ask", text: "half an ans", n: 3, gaps: [3] } };
    const changes = apply([delta(1, "again")], [{ key, data }]);
    expect(changes.set[0]?.data).toMatchObject({ "s0:ask": { text: "again", n: 1, gaps: [] } });
    // One that began while nobody watched, and has not come as far.
    const unseen = apply([delta(2, "other", 1)], [{ key, data }]);
    expect(unseen.set[0]?.data).toMatchObject({ "s0:ask": { text: "other", n: 2, gaps: [] } });
  });
});

it("reloads everything after a gap that the service cannot fill", () => {
  const resync = (reason: string): ServerFrame => ({ type: "resync", data: { reason, from: 3 } });
  expect(apply([resync("backlog")], []).stale).toContainEqual(["executions"]);
  expect(apply([resync("lagging")], []).stale).toEqual([]);
  // Of long lists the beginning; the rest when somebody looks at it.
  const data = { pages: [{ items: [row({ id: "3" })], next: "b" }, { items: [row({ id: "2" }), row({ id: "1" })] }] };
  const list = apply([resync("backlog")], [{ key: executionKeys.list({}), data }]).set[0]?.data as ExecutionPages;
  expect(list.pages).toMatchObject([{ items: [{ id: "3" }] }, { items: [], released: { count: 2, oldest: "1" } }]);
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
