// Pure: a journal as task instances with the stretches of time they spent working, waiting and between attempts. The graph,
// the timeline and the task panel all look at this, so that they never disagree.
import type { EventView, Failure, TaskStatus } from "@/api/generated/schema";
import { ticksOf } from "./ticks";

/** What a stretch of a task's time was spent on. */
export type StretchKind = "work" | "wait" | "retry";

export interface Stretch {
  kind: StretchKind;
  from: number;
  /** Absent while it goes on. */
  to?: number;
}

export interface Instance {
  /** `s2:load/a1/s0:fetch`: stable across restarts. */
  path: string;
  pointer: string;
  name: string;
  depth: number;
  status: TaskStatus;
  /** Of the innermost enclosing `try`, 0 for the first. */
  attempt: number;
  attempts: number;
  from: number;
  to?: number;
  stretches: Stretch[];
  output?: unknown;
  error?: Failure;
  effect?: { kind: string; summary: string };
  childId?: string;
  /** When the timer fires it waits for. */
  wakesAt?: number;
}

export interface Timeline {
  instances: Instance[];
  createdAt?: number;
  /** Until then it waited in the queue. */
  startedAt?: number;
  endedAt?: number;
  /** Times during which a person had paused it. */
  pauses: { from: number; to?: number }[];
  recoveries: { at: number; tookMs: number; reason: string }[];
}

type Data = Record<string, unknown>;

/** Builds a timeline event by event, so that a journal that grows is not read from its beginning again. */
export class TimelineBuilder {
  #byPath = new Map<string, Instance>();
  #seq = 0;
  /** Instances that a budget keeps from beginning their work. */
  #withheld: Instance[] = [];
  #timeline: Timeline = { instances: [], pauses: [], recoveries: [] };

  /** Takes in the events it has not seen, in the order of the journal. */
  add(events: readonly EventView[]): Timeline {
    const begin = events.length - (events.at(-1)?.seq ?? 0) + this.#seq;
    for (let index = Math.max(0, begin); index < events.length; index += 1) {
      const event = events[index];
      if (!event || event.seq <= this.#seq) continue;
      this.#take(event);
      this.#seq = event.seq;
    }
    // A new object, so that those who look notice.
    return { ...this.#timeline, instances: [...this.#timeline.instances] };
  }

  #take(event: EventView): void {
    const at = Date.parse(event.at);
    const data = (event.data ?? {}) as Data;
    if (event.path == null) this.#takeWhole(event.type, at, data);
    else this.#takeTask(event, event.path, at, data);
  }

  #takeWhole(type: string, at: number, data: Data): void {
    const timeline = this.#timeline;
    switch (type) {
      case "execution_created":
        timeline.createdAt = at;
        break;
      case "execution_started":
        timeline.startedAt = at;
        break;
      case "execution_paused":
        timeline.pauses = [...timeline.pauses, { from: at }];
        break;
      case "execution_resumed": {
        const last = timeline.pauses.at(-1);
        if (last && last.to === undefined) last.to = at;
        this.#release(at);
        break;
      }
      case "execution_recovered":
        timeline.recoveries = [
          ...timeline.recoveries,
          { at, tookMs: Number(data.recovered_in_ms ?? 0), reason: String(data.reason ?? "") },
        ];
        break;
      case "execution_completed":
      case "execution_failed":
      case "execution_cancelled": {
        timeline.endedAt = at;
        const last = timeline.pauses.at(-1);
        if (last && last.to === undefined) last.to = at;
        for (const instance of timeline.instances) if (instance.to === undefined) end(instance, "cancelled", at);
        break;
      }
      default:
        break;
    }
  }

  #takeTask(event: EventView, path: string, at: number, data: Data): void {
    if (event.type === "task_started" || event.type === "task_skipped") this.#begin(event, path, at);
    const instance = this.#byPath.get(path);
    if (!instance) return;
    switch (event.type) {
      case "task_skipped":
        end(instance, "skipped", at);
        break;
      case "task_completed":
        instance.output = data.output;
        end(instance, "succeeded", at);
        break;
      case "task_failed":
        instance.error = data.error as Failure;
        end(instance, "failed", at);
        break;
      case "task_cancelled":
        end(instance, "cancelled", at);
        break;
      case "task_retried":
        instance.attempts = Number(data.next_attempt) + 1;
        instance.error = data.error as Failure;
        change(instance, "retry", at);
        instance.status = "waiting";
        instance.wakesAt = Date.parse(String(data.deadline));
        break;
      case "effect_scheduled":
        instance.effect = { kind: String(data.kind), summary: String(data.summary) };
        break;
      case "effect_withheld":
        this.#withheld.push(instance);
        change(instance, "wait", at);
        instance.status = "waiting";
        break;
      case "effect_failed":
        instance.error = data.error as Failure;
        break;
      case "timer_set":
        if (data.purpose !== "wait" && data.purpose !== "retry") break;
        change(instance, data.purpose, at);
        instance.status = "waiting";
        instance.wakesAt = Date.parse(String(data.deadline));
        break;
      case "timer_fired":
        if (data.purpose !== "wait" && data.purpose !== "retry") break;
        change(instance, "work", at);
        instance.status = "running";
        instance.wakesAt = undefined;
        break;
      case "child_started":
        instance.childId = String(data.child_id);
        break;
      default:
        break;
    }
  }

  /** What was withheld is asked for again. */
  #release(at: number): void {
    for (const instance of this.#withheld) {
      if (instance.to !== undefined) continue;
      change(instance, "work", at);
      instance.status = "running";
    }
    this.#withheld = [];
  }

  #begin(event: EventView, path: string, at: number): void {
    const pointer = event.task ?? "";
    const instance: Instance = {
      path,
      pointer,
      name: nameOf(pointer),
      // Branches and rounds have no line of their own.
      depth: path.split("/").filter((segment) => segment.startsWith("s")).length - 1,
      status: "running",
      attempt: event.attempt ?? 0,
      attempts: 1,
      from: at,
      stretches: [{ kind: "work", from: at }],
    };
    this.#byPath.set(path, instance);
    this.#timeline.instances.push(instance);
  }
}

function change(instance: Instance, kind: StretchKind, at: number): void {
  const last = instance.stretches.at(-1);
  if (last?.kind === kind) return;
  if (last && last.to === undefined) last.to = at;
  instance.stretches.push({ kind, from: at });
}

function end(instance: Instance, status: TaskStatus, at: number): void {
  instance.status = status;
  instance.to = at;
  instance.wakesAt = undefined;
  const last = instance.stretches.at(-1);
  if (last && last.to === undefined) last.to = at;
}

/** The last segment of a JSON pointer. */
export function nameOf(pointer: string): string {
  const last = pointer.slice(pointer.lastIndexOf("/") + 1);
  return last.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** The rounds of loops that a task was in, the outermost first, each counted from 1: `s0:rounds/i2/s0:panel` is in the third. */
export function roundsOf(path: string): { loop: string; round: number }[] {
  const segments = path.split("/");
  return segments.flatMap((segment, index) => {
    const round = /^i(\d+)$/.exec(segment)?.[1];
    const loop = segments[index - 1]?.replace(/^s\d+:/, "");
    return round === undefined || loop === undefined ? [] : [{ loop: nameOf(loop), round: Number(round) + 1 }];
  });
}

export interface Tally {
  /** Of the instance that says most: of one that is open, or else of the newest. */
  status: TaskStatus;
  count: number;
  done: number;
  /** The newest instance of those that count. */
  path: string;
}

const WEIGHT: Record<TaskStatus, number> = {
  running: 5,
  waiting: 4,
  failed: 3,
  cancelled: 2,
  succeeded: 1,
  skipped: 0,
};

/**
 * What the instances of each task say together: what its box in the graph shows. A later instance outweighs an earlier end; one
 * that was skipped says nothing beside one that was not.
 */
export function tallies(instances: readonly Instance[]): Map<string, Tally> {
  const found = new Map<string, Tally>();
  for (const { pointer, status, path } of instances) {
    const done = status === "running" || status === "waiting" ? 0 : 1;
    const known = found.get(pointer);
    if (known && status === "skipped" && known.status !== "skipped") continue;
    if (!known || (known.status === "skipped" && status !== "skipped")) {
      found.set(pointer, { status, count: 1, done, path });
      continue;
    }
    const isOpen = WEIGHT[known.status] >= 4;
    known.status = isOpen && WEIGHT[known.status] > WEIGHT[status] ? known.status : status;
    known.count += 1;
    known.done += done;
    known.path = path;
  }
  return found;
}

export interface Scale {
  /** From 0 to 1. */
  at(instant: number): number;
  /** Where stretches of idle time were taken out, and how long they were. */
  cuts: { at: number; ms: number }[];
  /** Round times since the beginning; none where the time that is shown has gaps. */
  ticks: { at: number; ms: number }[];
}

/** What idle time is shortened to, as a part of the whole. */
const CUT_WIDTH = 0.015;

/**
 * From instants to places. With `hideIdle`, time in which nothing worked takes no room, so that a wait of an hour between two
 * requests does not hide them.
 */
export function scaleOf(timeline: Timeline, now: number, hideIdle: boolean): Scale {
  const begin = timeline.createdAt ?? timeline.instances[0]?.from ?? now;
  const finish = Math.max(begin + 1, timeline.endedAt ?? now);
  const busy = hideIdle ? merged(timeline, finish) : [{ from: begin, to: finish }];
  if (busy.length === 0) busy.push({ from: begin, to: finish });
  const total = busy.reduce((sum, stretch) => sum + (stretch.to - stretch.from), 0) || 1;
  const gaps = busy.length - 1;
  const room = 1 - Math.min(0.4, gaps * CUT_WIDTH);
  const gapRoom = gaps > 0 ? (1 - room) / gaps : 0;
  const starts: number[] = [];
  const cuts: Scale["cuts"] = [];
  let place = 0;
  busy.forEach((stretch, index) => {
    starts.push(place);
    place += ((stretch.to - stretch.from) / total) * room;
    const next = busy[index + 1];
    if (next) cuts.push({ at: place + gapRoom / 2, ms: next.from - stretch.to });
    place += gapRoom;
  });
  const span = finish - begin;
  return {
    cuts,
    ticks: hideIdle ? [] : ticksOf(span).map((ms) => ({ at: ms / span, ms })),
    at(instant) {
      for (let index = busy.length - 1; index >= 0; index -= 1) {
        const stretch = busy[index];
        if (!stretch || instant < stretch.from) continue;
        const within = Math.min(instant, stretch.to) - stretch.from;
        const gap = instant > stretch.to && index < busy.length - 1 ? gapRoom / 2 : 0;
        return Math.min(1, (starts[index] ?? 0) + (within / total) * room + gap);
      }
      return 0;
    },
  };
}

/** Stretches in which anything at all worked, joined where they touch. Containers work only as far as what is inside them does. */
function merged(timeline: Timeline, finish: number): { from: number; to: number }[] {
  const inner = leaves(timeline.instances);
  const stretches = inner
    .flatMap((instance) => instance.stretches.filter((stretch) => stretch.kind === "work"))
    .map((stretch) => ({ from: stretch.from, to: stretch.to ?? finish }))
    .sort((a, b) => a.from - b.from);
  const result: { from: number; to: number }[] = [];
  for (const stretch of stretches) {
    const last = result.at(-1);
    if (last && stretch.from <= last.to) last.to = Math.max(last.to, stretch.to);
    else result.push({ ...stretch });
  }
  return result;
}

function leaves(instances: readonly Instance[]): Instance[] {
  const parents = new Set<string>();
  for (const { path } of instances) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
      parents.add(path.slice(0, end));
  }
  return instances.filter((instance) => !parents.has(instance.path));
}
