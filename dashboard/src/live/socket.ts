// One socket per tab: it comes back by itself, resumes where it stopped, and says whether it lives. It knows frames, but not
// what they mean to the page.
import type { ServerFrame } from "@/api/generated/schema";

export type LiveStatus = "connecting" | "online" | "offline";

export interface Surroundings {
  /** The address to connect to, with a fresh credential where one is needed. `after` is the cursor to resume from. */
  address(after: number | undefined): Promise<string>;
  open(address: string): WebSocket;
  onFrames(frames: ServerFrame[]): void;
  onStatus(status: LiveStatus): void;
  /** The service has another database than before: what was seen says nothing about it. */
  onOtherStore(): void;
  /** A new access token, when the old one has ended in the middle of a session. */
  token(): Promise<string | undefined>;
  /** 0 to 1. */
  random(): number;
}

/** `WebSocket.OPEN`. */
const OPEN = 1;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const PING_EVERY_MS = 30_000;
/** A socket that says nothing for this long after a ping, or in the beginning, is taken for dead. */
const ANSWER_WITHIN_MS = 10_000;
/** Frames are handed on together this often: a thousand a second are twenty renderings, not a thousand. */
const COLLECT_MS = 50;

/** The pause before the next attempt: doubling, capped, and between half and all of it so that tabs do not come in step. */
export function pauseMs(attempt: number, random: number): number {
  const whole = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
  return whole / 2 + (whole / 2) * random;
}

export class LiveSocket {
  #around: Surroundings;
  #socket: WebSocket | undefined;
  #isStopped = true;
  #isRenewing = false;
  /** Counts the attempts to connect: one that was overtaken says nothing any more. */
  #connecting = 0;
  #attempt = 0;
  #cursor: number | undefined;
  #watched = new Map<string, { count: number; seq: number }>();
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setTimeout> | undefined;
  #collected: ServerFrame[] = [];
  #collecting: ReturnType<typeof setTimeout> | undefined;
  #retryAfterMs: number | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#around.onStatus("connecting");
    void this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    this.#attempt = 0;
    this.#retryAfterMs = undefined;
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    clearTimeout(this.#collecting);
    this.#collecting = undefined;
    this.#collected = [];
    this.#drop();
  }

  /**
   * Does not wait any longer for the next attempt: the network is back, or the tab is looked at again. A socket from before is asked
   * whether it still lives.
   */
  hurry(): void {
    if (this.#isStopped) return;
    if (this.#socket?.readyState === OPEN) this.#ping();
    if (this.#socket || this.#waiting === undefined) return;
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    void this.#connect();
  }

  /** Adds the complete feed of one execution, from after this event. The answer ends it. */
  watch(id: string, afterSeq: number): () => void {
    const known = this.#watched.get(id);
    if (known) known.count += 1;
    else {
      this.#watched.set(id, { count: 1, seq: afterSeq });
      this.#send({ type: "subscribe", execution_id: id, after_seq: afterSeq });
    }
    let isWatching = true;
    return () => {
      if (isWatching) this.#unwatch(id);
      isWatching = false;
    };
  }

  #unwatch(id: string): void {
    const known = this.#watched.get(id);
    if (!known) return;
    known.count -= 1;
    if (known.count > 0) return;
    this.#watched.delete(id);
    this.#send({ type: "unsubscribe", execution_id: id });
  }

  async #connect(): Promise<void> {
    this.#connecting += 1;
    const connecting = this.#connecting;
    const isOvertaken = () => this.#isStopped || connecting !== this.#connecting;
    let socket: WebSocket;
    try {
      const address = await this.#around.address(this.#cursor);
      if (isOvertaken()) return;
      socket = this.#around.open(address);
    } catch {
      if (!isOvertaken()) this.#lost();
      return;
    }
    this.#socket = socket;
    this.#expectLife(ANSWER_WITHIN_MS, () => this.#lost());
    socket.onmessage = (message) => {
      if (socket === this.#socket) this.#receive(String(message.data));
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #receive(text: string): void {
    this.#expectLife(PING_EVERY_MS, () => this.#ping());
    if (text === "pong") return;
    const frame = JSON.parse(text) as ServerFrame;
    switch (frame.type) {
      case "hello":
        this.#begin(frame.data.position);
        break;
      case "execution_update":
        // The feed of a watched execution is ahead of that of all: its position says nothing about the others.
        if (!this.#watched.has(frame.data.id)) this.#cursor = frame.position;
        break;
      case "execution_event": {
        const watched = this.#watched.get(frame.data.execution_id);
        if (watched) watched.seq = Math.max(watched.seq, frame.seq);
        break;
      }
      case "error":
        if (frame.data.code === "token_expired") void this.#renew();
        break;
      case "goodbye":
        this.#retryAfterMs = frame.data.retry_after_ms;
        break;
      case "output_delta":
      case "log":
      case "resync":
      case "pong":
        break;
    }
    this.#collected.push(frame);
    this.#collecting ??= setTimeout(() => this.#hand(), COLLECT_MS);
  }

  #begin(position: number): void {
    this.#attempt = 0;
    if (this.#cursor !== undefined && position < this.#cursor) {
      this.#cursor = undefined;
      for (const watched of this.#watched.values()) watched.seq = 0;
      this.#around.onOtherStore();
    }
    this.#cursor ??= position;
    this.#subscribe();
    this.#around.onStatus("online");
  }

  /** To everything that is watched; what has been seen of it does not come again. */
  #subscribe(): void {
    for (const [id, { seq }] of this.#watched) this.#send({ type: "subscribe", execution_id: id, after_seq: seq });
  }

  #hand(): void {
    this.#collecting = undefined;
    const frames = this.#collected;
    this.#collected = [];
    if (frames.length > 0) this.#around.onFrames(frames);
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    // Without a fresh one the service ends the session, and the next attempt to connect asks again.
    const token = await this.#around.token().catch(() => undefined);
    this.#isRenewing = false;
    if (!token) return;
    this.#send({ type: "auth", token });
    // What was to be watched since the old one had ended was refused.
    this.#subscribe();
  }

  #lost(): void {
    this.#drop();
    if (this.#isStopped) return;
    this.#around.onStatus("offline");
    const pause = this.#retryAfterMs ?? pauseMs(this.#attempt, this.#around.random());
    this.#retryAfterMs = undefined;
    this.#attempt += 1;
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      void this.#connect();
    }, pause);
  }

  #drop(): void {
    clearTimeout(this.#beat);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #ping(): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send("ping");
    this.#expectLife(ANSWER_WITHIN_MS, () => this.#lost());
  }

  #expectLife(ms: number, otherwise: () => void): void {
    clearTimeout(this.#beat);
    this.#beat = setTimeout(otherwise, ms);
  }

  #send(frame: object): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
