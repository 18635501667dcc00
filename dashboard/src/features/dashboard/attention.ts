// Pure: what waits for a person, the most pressing first.
import type { Row } from "@/api/executions";

export interface Waiting {
  /** The newest of its kind. */
  row: Row;
  /** How many of the same have failed, this one included. */
  count: number;
}

function since(row: Row): number {
  return Date.parse(row.finished_at ?? row.updated_at);
}

function byNewest(a: Row, b: Row): number {
  return since(b) - since(a);
}

/** What failed because a part of it did is one failure: the part is found from the whole. */
function independent(failed: readonly Row[]): Row[] {
  const ids = new Set(failed.map((row) => row.id));
  return failed.filter((row) => !ids.has(row.parent_execution_id ?? ""));
}

/** Failures of the same workflow or agent are one thing to look at, however many there are. */
function grouped(failed: readonly Row[]): Waiting[] {
  const found = new Map<string, Waiting>();
  for (const row of failed.toSorted(byNewest)) {
    const key = row.agent_id ?? `${row.workflow.namespace}/${row.workflow.name}`;
    const known = found.get(key);
    if (known) known.count += 1;
    else found.set(key, { row, count: 1 });
  }
  return [...found.values()];
}

/** What asks for an answer comes before what can only be looked at; the newest first in both. */
export function attention(paused: readonly Row[], failed: readonly Row[]): Waiting[] {
  const alone = (row: Row) => ({ row, count: 1 });
  const asking = paused.filter((row) => row.pause_reason != null).sort(byNewest);
  const others = [...paused.filter((row) => row.pause_reason == null).map(alone), ...grouped(independent(failed))];
  return [...asking.map(alone), ...others.sort((a, b) => byNewest(a.row, b.row))];
}
