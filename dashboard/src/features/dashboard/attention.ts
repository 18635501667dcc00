// Pure: what waits for a person, the most pressing first.
import type { Row } from "@/api/executions";

function since(row: Row): number {
  return Date.parse(row.finished_at ?? row.updated_at);
}

/** What asks for an answer comes before what can only be looked at; the newest first in both. */
export function attention(paused: readonly Row[], failed: readonly Row[]): Row[] {
  const byNewest = (a: Row, b: Row) => since(b) - since(a);
  const asking = paused.filter((row) => row.pause_reason != null);
  const others = [...paused.filter((row) => row.pause_reason == null), ...failed];
  return [...asking.sort(byNewest), ...others.sort(byNewest)];
}
