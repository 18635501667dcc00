// Pure: what an agent's tests say about it.
import type { Row } from "@/api/executions";

export interface Measures {
  count: number;
  /** Succeeded over ended with a result; absent when none has. */
  successRate?: number;
  medianMs?: number;
}

export function measure(rows: readonly Row[]): Measures {
  const succeeded = rows.filter((row) => row.status === "succeeded");
  const failed = rows.filter((row) => row.status === "failed").length;
  const ended = succeeded.length + failed;
  const times = succeeded
    .flatMap((row) =>
      row.started_at && row.finished_at ? [Date.parse(row.finished_at) - Date.parse(row.started_at)] : [],
    )
    .sort((a, b) => a - b);
  return {
    count: rows.length,
    successRate: ended > 0 ? succeeded.length / ended : undefined,
    medianMs: times[Math.floor((times.length - 1) / 2)],
  };
}
