import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerFrame } from "@/api/generated/schema";
import { event, eventFrame, updateFrame } from "@/test/factories";
import { LiveSocket, type LiveStatus, pauseMs } from "./socket";

/** The other end of a socket, as far as a client sees it. */
class Line {
  readyState = 1;
  sent: string[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
  frame(frame: ServerFrame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  hello(position: number) {
    this.frame({ type: "hello", data: { session: "s", position, heartbeat_seconds: 30 } });
  }
  drop() {
    this.readyState = 3;
    this.onclose?.();
  }
}

function begin(refusals = 0) {
  const lines: Line[] = [];
  /** What comes of asking for an address, where that is not an address at once. */
  const answers: Promise<string>[] = [];
  let refused = 0;
  const addresses: (number | undefined)[] = [];
  const frames: ServerFrame[] = [];
  const statuses: LiveStatus[] = [];
  const others = { count: 0 };
  const socket = new LiveSocket({
    address: async (after) => {
      addresses.push(after);
      return answers.shift() ?? "ws://callboard";
    },
    open: () => {
      refused += 1;
      if (refused <= refusals) throw new Error("not allowed here");
      const line = new Line();
      lines.push(line);
      return line as unknown as WebSocket;
    },
    onFrames: (some) => frames.push(...some),
    onStatus: (status) => statuses.push(status),
    onOtherStore: () => {
      others.count += 1;
    },
    token: async () => "fresh",
    random: () => 1,
  });
  socket.start();
  const line = () => {
    const last = lines.at(-1);
    if (!last) throw new Error("nothing has connected");
    return last;
  };
  return { socket, lines, line, addresses, frames, statuses, others, answers };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
const settle = () => vi.advanceTimersByTimeAsync(60);

describe("the live socket", () => {
  it("resumes where it stopped, with what was watched", async () => {
    const { socket, line, lines, addresses, statuses } = begin();
    await settle();
    line().hello(100);
    socket.watch("e1", 4);
    line().frame(eventFrame(event(5)));
    line().frame(updateFrame({ id: "e2" }, 117));
    line().drop();
    expect(statuses).toEqual(["connecting", "online", "offline"]);
    await vi.advanceTimersByTimeAsync(1_000);
    line().hello(120);
    expect(lines).toHaveLength(2);
    expect(addresses).toEqual([undefined, 117]);
    expect(line().sent).toEqual(['{"type":"subscribe","execution_id":"e1","after_seq":5}']);
    expect(statuses.at(-1)).toBe("online");
  });

  it("does not resume from what only the feed of a watched execution has reached", async () => {
    const { socket, line, addresses } = begin();
    await settle();
    line().hello(100);
    socket.watch("e1", 4);
    line().frame(updateFrame({ id: "e2" }, 104));
    // Of another one, 105 has not come yet.
    line().frame(updateFrame({ id: "e1" }, 117));
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(addresses).toEqual([undefined, 104]);
  });

  it("waits longer after each failure, up to half a minute, and begins anew after a success", async () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((attempt) => pauseMs(attempt, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
    expect(pauseMs(0, 0)).toBe(500);
    const { line, lines } = begin();
    await settle();
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    line().drop();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(lines).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(lines).toHaveLength(3);
    line().hello(1);
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(4);
  });

  it("comes back when the service that said goodbye wants it to", async () => {
    const { line, lines } = begin();
    await settle();
    line().hello(1);
    line().frame({ type: "goodbye", data: { reason: "shutting_down", retry_after_ms: 250 } });
    line().drop();
    await vi.advanceTimersByTimeAsync(250);
    expect(lines).toHaveLength(2);
  });

  it("takes a socket that does not answer for dead", async () => {
    const { line, statuses } = begin();
    await settle();
    line().hello(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(line().sent).toEqual(["ping"]);
    line().onmessage?.({ data: "pong" });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(line().sent).toEqual(["ping", "ping"]);
    expect(statuses.at(-1)).toBe("online");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(statuses.at(-1)).toBe("offline");
  });

  it("gives up a connection that does not come about", async () => {
    const { line, lines, statuses } = begin();
    await settle();
    line().readyState = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(statuses.at(-1)).toBe("offline");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(2);
  });

  it("asks a socket that a laptop has slept over whether it lives", async () => {
    const { socket, line, statuses } = begin();
    await settle();
    line().hello(1);
    socket.hurry();
    expect(line().sent).toEqual(["ping"]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(statuses.at(-1)).toBe("offline");
  });

  it("hands frames on together", async () => {
    const { line, frames } = begin();
    await settle();
    line().hello(1);
    for (let n = 1; n <= 100; n += 1) line().frame(updateFrame({ id: String(n) }, n));
    expect(frames).toHaveLength(0);
    await settle();
    expect(frames).toHaveLength(101);
  });

  it("watches until the last who asked for it has gone", async () => {
    const { socket, line } = begin();
    await settle();
    line().hello(1);
    const first = socket.watch("e1", 0);
    const second = socket.watch("e1", 3);
    first();
    first();
    expect(line().sent).toHaveLength(1);
    second();
    expect(line().sent.at(-1)).toBe('{"type":"unsubscribe","execution_id":"e1"}');
  });

  it("notices that the service has another database", async () => {
    const { line, others, addresses } = begin();
    await settle();
    line().hello(500);
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    line().hello(3);
    expect(others.count).toBe(1);
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(addresses).toEqual([undefined, 500, 3]);
  });

  it("renews a token that ends in the middle of a session", async () => {
    const { socket, line } = begin();
    await settle();
    line().hello(1);
    const problem = { type: "", title: "", status: 401, detail: "", code: "token_expired", suggestion: "" };
    line().frame({ type: "error", data: problem });
    await settle();
    expect(line().sent).toEqual(['{"type":"auth","token":"fresh"}']);
    // What was asked for in between was refused, each time with the same words.
    socket.watch("e1", 4);
    line().frame({ type: "error", data: problem });
    line().frame({ type: "error", data: problem });
    line().frame(eventFrame(event(5)));
    await settle();
    expect(line().sent.slice(1)).toEqual([
      '{"type":"subscribe","execution_id":"e1","after_seq":4}',
      '{"type":"auth","token":"fresh"}',
      '{"type":"subscribe","execution_id":"e1","after_seq":5}',
    ]);
  });

  it("is not ended by an attempt from before it was stopped", async () => {
    const { socket, line, lines, statuses, answers } = begin();
    let refuse = () => {};
    answers.push(new Promise((_, reject) => (refuse = () => reject(new Error("no ticket")))));
    await settle();
    line().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    socket.stop();
    socket.start();
    await settle();
    line().hello(1);
    refuse();
    await settle();
    expect([lines.length, statuses.at(-1)]).toEqual([2, "online"]);
  });

  it("tries again when the browser does not even open it", async () => {
    const { socket, lines, statuses } = begin(1);
    await settle();
    expect(statuses.at(-1)).toBe("offline");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(1);
    socket.stop();
  });
});
