// Doing the same to many executions: a few at a time, counted, and stopped when asked to.
import { commandsFor, type Filter, type Row } from "@/api/executions";
import type { Problem, Status } from "@/api/generated/schema";
import { statuses } from "./search";

export interface BulkProgress {
  done: number;
  /** Why some of them were refused. */
  failures: readonly unknown[];
}

/** How many requests are on their way at once. */
const AT_ONCE = 6;

/**
 * Does something to each. What is refused is counted and passed over; when no further ids are to be had, that is thrown.
 */
export async function forEach(
  ids: Iterable<string> | AsyncIterable<string>,
  act: (id: string) => Promise<unknown>,
  onProgress: (progress: BulkProgress) => void,
  signal: AbortSignal,
): Promise<BulkProgress> {
  const waiting = Symbol.asyncIterator in ids ? ids[Symbol.asyncIterator]() : ids[Symbol.iterator]();
  const failures: unknown[] = [];
  let done = 0;
  const further = async (): Promise<string | undefined> => {
    try {
      const next = await waiting.next();
      return next.done ? undefined : next.value;
    } catch (error) {
      // Reading was broken off because somebody wanted it so.
      if (signal.aborted) return undefined;
      throw error;
    }
  };
  const work = async () => {
    while (!signal.aborted) {
      const id = await further();
      if (id === undefined || signal.aborted) return;
      await act(id).catch((error: unknown) => failures.push(error));
      done += 1;
      onProgress({ done, failures });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { done, failures };
}

/** What can be asked of many at once. */
export type BulkCommand = "cancel" | "retry";

/** Whether an execution would take the command. What has been retried is not retried once more along with many others. */
export function takes(row: Pick<Row, "status" | "continued_by">, command: BulkCommand): boolean {
  return commandsFor(row.status).includes(command) && !(command === "retry" && row.continued_by);
}

/** Those of a list that would take the command; `undefined` when none of them can. */
export function narrowed(filter: Filter, command: BulkCommand): Filter | undefined {
  const able = statuses.filter((status) => commandsFor(status).includes(command));
  const wanted: Status[] = filter.status?.length ? able.filter((status) => filter.status?.includes(status)) : able;
  if (wanted.length === 0 || (command === "retry" && filter.continued)) return undefined;
  return { ...filter, status: wanted, ...(command === "retry" && { continued: false }) };
}

export interface Refusals {
  problem: Problem;
  count: number;
}

/** The same refusal is told once, the most frequent first. */
export function grouped(problems: readonly Problem[]): Refusals[] {
  const found = new Map<string, Refusals>();
  for (const problem of problems) {
    const known = found.get(problem.code);
    if (known) known.count += 1;
    else found.set(problem.code, { problem, count: 1 });
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}
