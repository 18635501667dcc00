// Pure: what a live update does to a piece of data that was read before. Nothing here knows the query cache.
import type { Created, Filter, Row } from "@/api/executions";
import type { EventView, ExecutionUpdate, LogLine, LogView, OutputDelta, Status } from "@/api/generated/schema";

/** Whether `update` is newer than what is shown. Frames may repeat and answers may be older than frames. */
function isNewer(update: ExecutionUpdate, row: { last_seq: number; updated_at: string }): boolean {
  return update.last_seq > row.last_seq || (update.last_seq === row.last_seq && update.updated_at > row.updated_at);
}

/** Who goes on with what, by the updates of those who do: the newest of several. */
export function continuations(updates: readonly ExecutionUpdate[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { id, continues } of updates) if (continues && id > (found.get(continues) ?? "")) found.set(continues, id);
  return found;
}

/** What is known of an execution, with whoever goes on with it by now. */
export function patchContinued<T extends { id: string; continued_by?: string | null }>(
  known: T,
  continued: ReadonlyMap<string, string>,
): T {
  const by = continued.get(known.id);
  return by !== undefined && by > (known.continued_by ?? "") ? { ...known, continued_by: by } : known;
}

export function patchRow(row: Row, update: ExecutionUpdate): Row {
  if (!isNewer(update, row)) return row;
  const { output: _, ...fields } = update;
  return { ...row, ...fields };
}

function isContinued(row: Row | ExecutionUpdate): boolean {
  return "continued_by" in row && row.continued_by != null;
}

/** Whether an execution belongs into a list; `undefined` when only the service can tell. */
export function matches(row: Row | ExecutionUpdate, filter: Filter): boolean | undefined {
  if (filter.status?.length && !filter.status.includes(row.status)) return false;
  if (filter.type && row.execution_type !== filter.type) return false;
  if (filter.workflow && `${row.workflow.namespace}/${row.workflow.name}` !== filter.workflow) return false;
  if (filter.agent && row.agent_id !== filter.agent) return false;
  if (filter.continued !== undefined && filter.continued !== isContinued(row)) return false;
  if (filter.parent && row.parent_execution_id !== filter.parent) return false;
  if (filter.after && Date.parse(row.created_at) <= Date.parse(filter.after)) return false;
  if (filter.before && Date.parse(row.created_at) >= Date.parse(filter.before)) return false;
  if (filter.q || (filter.label && Object.keys(filter.label).length > 0)) return undefined;
  return true;
}

/**
 * Newest first, as the service lists executions. It writes every instant to the same number of digits, so that their texts compare.
 * The ids of what a workflow starts are made of its own and say nothing about the time: they only part what was created at once.
 */
export function byNewest(a: Created, b: Created): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

export interface Patched<T> {
  data: T;
  /** Only reading again gives the truth. */
  isStale: boolean;
}

/** As many of those that are active are read. */
export const MAX_ACTIVE = 100;

/**
 * What runs or waits now, newest first. Pending and paused executions are not among them. `isStale` when there may be others by now that
 * were not read because these came first.
 */
export function patchActive(rows: readonly Row[], updates: readonly ExecutionUpdate[]): Patched<Row[]> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  let changed = false;
  for (const update of updates) {
    const known = byId.get(update.id);
    if (known && !isNewer(update, known)) continue;
    const isActive = update.status === "running" || update.status === "waiting";
    if (!isActive && !known) continue;
    changed = true;
    const { output: _, ...fields } = update;
    if (isActive) byId.set(update.id, { ...known, ...fields });
    else byId.delete(update.id);
  }
  const isStale = rows.length >= MAX_ACTIVE && byId.size < MAX_ACTIVE;
  return { data: changed ? [...byId.values()].sort(byNewest) : (rows as Row[]), isStale };
}

export interface DetailFields {
  id: string;
  status: Status;
  last_seq: number;
  updated_at: string;
  pause_reason?: string | null;
  continued_by?: string | null;
  output?: unknown;
}

/**
 * An execution's detail after an update. `isStale` when its status is another one or a limit has paused it: until when it waits,
 * how long it was queued, totals, what was spent, and large outputs come with a reading only.
 */
export function patchDetail<T extends DetailFields>(detail: T, update: ExecutionUpdate): Patched<T> {
  if (update.id !== detail.id || !isNewer(update, detail)) return { data: detail, isStale: false };
  const { output, workflow: _, ...fields } = update;
  const data = { ...detail, ...fields, output: output ?? detail.output };
  const isStale = update.status !== detail.status || (update.pause_reason ?? null) !== (detail.pause_reason ?? null);
  return { data, isStale };
}

/** A journal with further events. `isStale` when something between is missing. */
export function patchEvents(events: readonly EventView[], added: readonly EventView[]): Patched<EventView[]> {
  let last = events.at(-1)?.seq ?? 0;
  const fresh: EventView[] = [];
  let isStale = false;
  for (const event of added) {
    if (event.seq <= last) continue;
    if (event.seq !== last + 1) {
      isStale = true;
      break;
    }
    fresh.push(event);
    last = event.seq;
  }
  return { data: fresh.length > 0 ? events.concat(fresh) : (events as EventView[]), isStale };
}

/** A log with further lines, by number. `isStale` when a line between is missing: the live feed drops lines under load. */
export function patchLogs(lines: readonly LogView[], added: readonly LogLine[]): Patched<LogView[]> {
  const last = lines.at(-1)?.n ?? 0;
  const fresh = new Map<number, LogView>();
  for (const line of added) {
    if (line.n <= last) continue;
    fresh.set(line.n, {
      n: line.n,
      at: line.at,
      level: line.level,
      message: line.message,
      task: line.task ?? null,
      agent_id: line.agent_id ?? null,
      metadata: line.metadata ?? null,
      source: line.source ?? "",
    });
  }
  if (fresh.size === 0) return { data: lines as LogView[], isStale: false };
  const sorted = [...fresh.values()].sort((a, b) => a.n - b.n);
  const isStale = sorted.at(-1)?.n !== last + sorted.length;
  return { data: lines.concat(sorted), isStale };
}

/** What a task has answered so far. */
export interface Streamed {
  task: string;
  text: string;
  /** The number of the newest piece. */
  n: number;
  /** Something between was not seen. */
  hasGap: boolean;
}

/** Output that streams in, by instance of the task. What begins with piece 1 is all there is: of a new attempt, or so far. */
export function patchOutput(
  outputs: Readonly<Record<string, Streamed>>,
  deltas: readonly OutputDelta[],
): Record<string, Streamed> {
  const next = { ...outputs };
  for (const delta of deltas) {
    const known = delta.from === 1 ? undefined : next[delta.path];
    if (known && delta.n <= known.n) continue;
    next[delta.path] = {
      task: delta.task,
      text: (known?.text ?? "") + delta.text,
      n: delta.n,
      hasGap: (known?.hasGap ?? false) || delta.from !== (known?.n ?? 0) + 1,
    };
  }
  return next;
}
