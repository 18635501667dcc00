// Pure: frames in, changes of the query cache out. The only place that says what a frame does to what is shown.
import type { QueryKey } from "@tanstack/react-query";
import type { ExecutionPages, Filter, Row } from "@/api/executions";
import type {
  EventView,
  ExecutionDetail,
  ExecutionUpdate,
  LogLine,
  LogView,
  OutputDelta,
  ServerFrame,
} from "@/api/generated/schema";
import { distrusted, patchPages } from "./pages";
import {
  continuations,
  matches,
  patchActive,
  patchContinued,
  patchDetail,
  patchEvents,
  patchLogs,
  patchOutput,
  type Streamed,
} from "./patch";

/** One entry of the cache that has data. */
export interface Entry {
  key: QueryKey;
  data: unknown;
}

export interface Changes {
  /** Data to put in place of what is there. */
  set: Entry[];
  /** Keys to read again soon: the frame does not carry what they show. */
  stale: QueryKey[];
}

/** Frames that arrived together, sorted by what they are about; of several updates of an execution only the newest. */
interface Batch {
  updates: ExecutionUpdate[];
  events: Map<string, EventView[]>;
  logs: Map<string, LogLine[]>;
  output: Map<string, OutputDelta[]>;
  /** A retry has begun. It goes on with children of the old execution, too: with which, only the service knows. */
  hasRetry: boolean;
  mustReload: boolean;
  /** What is not in the journal may have been missed: the session is new, or has fallen behind. */
  hasMissed: boolean;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** `isKnown` tells of which executions there were updates before. */
function sort(frames: readonly ServerFrame[], isKnown: (id: string) => boolean): Batch {
  const updates = new Map<string, ExecutionUpdate>();
  const batch: Batch = {
    updates: [],
    events: new Map(),
    logs: new Map(),
    output: new Map(),
    hasRetry: false,
    mustReload: false,
    hasMissed: false,
  };
  for (const frame of frames) {
    switch (frame.type) {
      case "execution_update": {
        batch.hasRetry ||= frame.data.continues != null && !isKnown(frame.data.id);
        const known = updates.get(frame.data.id);
        if (!known || known.last_seq <= frame.data.last_seq) updates.set(frame.data.id, frame.data);
        break;
      }
      case "execution_event":
        push(batch.events, frame.data.execution_id, { ...frame.data, position: frame.position });
        break;
      case "log":
        push(batch.logs, frame.data.execution_id, frame.data);
        break;
      case "output_delta":
        push(batch.output, frame.data.execution_id, frame.data);
        break;
      case "resync":
        // A session that only lagged is caught up by the service; one that was away for too long is not.
        batch.mustReload ||= frame.data.reason !== "lagging";
        batch.hasMissed = true;
        break;
      case "hello":
        batch.hasMissed = true;
        break;
      case "pong":
      case "error":
      case "goodbye":
        break;
    }
  }
  batch.updates = [...updates.values()];
  return batch;
}

export function apply(
  frames: readonly ServerFrame[],
  entries: readonly Entry[],
  isKnown: (id: string) => boolean = () => false,
): Changes {
  const batch = sort(frames, isKnown);
  const changes: Changes = { set: [], stale: [] };
  if (batch.mustReload) changes.stale.push(["executions"], ["queue"], ["spending"]);
  const hasUpdates = batch.updates.length > 0;
  for (const { key, data } of entries) {
    if ((key[0] === "queue" || key[0] === "spending") && hasUpdates) changes.stale.push(key);
    if (key[0] !== "executions" || data === undefined) continue;
    const next = applyTo(key, data, batch, changes.stale);
    if (next !== data) changes.set.push({ key, data: next });
  }
  return changes;
}

/** Sums and budgets have changed, which no frame carries. */
const SPENT: readonly string[] = ["usage_recorded", "approval_given"];
/** So has what only a reading of the execution tells: until when it waits, how often it was recovered. */
const TOLD_BY_DETAIL: readonly string[] = [...SPENT, "timer_set", "execution_recovered"];

function has(types: readonly string[], events: readonly EventView[] | undefined): boolean {
  return events?.some(({ type }) => types.includes(type)) ?? false;
}

/** What a retry of the execution that it is a part of may do again. */
function isLostPart(one: Row | ExecutionDetail): boolean {
  return one.parent_execution_id != null && (one.status === "failed" || one.status === "cancelled");
}

function applyTo(key: QueryKey, data: unknown, batch: Batch, stale: QueryKey[]): unknown {
  const id = String(key[2]);
  const keep = <T>({ data, isStale }: { data: T; isStale: boolean }): T => {
    if (isStale) stale.push(key);
    return data;
  };
  switch (key[1]) {
    case "list": {
      const list = data as ExecutionPages;
      if (batch.hasRetry && list.pages.some(({ items }) => items.some(isLostPart))) stale.push(key);
      // The first page is read again; the others when somebody looks at them.
      const known = batch.mustReload ? distrusted(list.pages) : list.pages;
      const pages = batch.updates.length === 0 ? known : keep(patchPages(known, key[2] as Filter, batch.updates));
      return pages === list.pages ? list : { pages };
    }
    case "count": {
      const changes = batch.updates.some((one) => one.continues || matches(one, key[2] as Filter) !== false);
      if (changes) stale.push(key);
      return data;
    }
    case "active":
      return batch.updates.length === 0 ? data : keep(patchActive(data as Row[], batch.updates));
    case "stats":
      if (batch.updates.length > 0) stale.push(key);
      return data;
    case "detail": {
      const update = batch.updates.find((one) => one.id === id);
      if (has(TOLD_BY_DETAIL, batch.events.get(id))) stale.push(key);
      if (batch.hasRetry && isLostPart(data as ExecutionDetail)) stale.push(key);
      const detail = patchContinued(data as ExecutionDetail, continuations(batch.updates));
      return update ? keep(patchDetail(detail, update)) : detail;
    }
    case "diff":
      if (batch.updates.some((one) => one.id === id || one.id === key[3])) stale.push(key);
      return data;
    case "events": {
      const added = batch.events.get(id);
      return added ? keep(patchEvents(data as EventView[], added)) : data;
    }
    case "logs": {
      const added = batch.logs.get(id);
      const hasEnded = batch.updates.some((one) => one.id === id && one.finished_at != null);
      // Lines are not sent again: the last ones may have come while nobody listened.
      if (batch.hasMissed || hasEnded) stale.push(key);
      return added ? keep(patchLogs(data as LogView[], added)) : data;
    }
    case "output": {
      const added = batch.output.get(id);
      const known = data as Record<string, Streamed>;
      return added ? patchOutput(known, added) : known;
    }
    case "usage": {
      if (has(SPENT, batch.events.get(id))) stale.push(key);
      return data;
    }
    default:
      return data;
  }
}
