// Executions: query keys, what is read, what is done to them.

import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { freshest } from "@/live/latest";
import { AGAIN, withHead } from "@/live/pages";
import type { Action } from "@/may";
import { client, freshKey, must } from "./client";
import type {
  BudgetLimits,
  EventView,
  ExecutionDetail,
  ExecutionDiff,
  ExecutionType,
  ExecutionUpdate,
  ExecutionView,
  History,
  Log,
  LogView,
  StartExecution,
  Status,
} from "./generated/schema";

/** What a list shows: the fields that both a list answer and a live update carry, and a few that only the answer has. */
export interface Row extends Omit<ExecutionUpdate, "output"> {
  labels?: Record<string, string>;
  priority?: number;
  version?: string;
  /** The name of whoever started it. */
  owner?: string;
}

export interface Filter {
  status?: Status[];
  type?: ExecutionType;
  /** `namespace/name` */
  workflow?: string;
  agent?: string;
  parent?: string;
  label?: Record<string, string>;
  /** Text in id, name, creator, input or error. */
  q?: string;
  after?: string;
  before?: string;
}

/** A part of a list, as it was read. */
export interface Page {
  /** Where it begins; the first one has none. */
  cursor?: string;
  items: Row[];
  /** Where the next one begins; nothing follows without it. */
  next?: string;
  /** What is known of a page whose rows were let go, so that it can be read again when somebody looks at it. */
  released?: { count: number; oldest: string };
}

export interface ExecutionPages {
  pages: readonly Page[];
}

export const executionKeys = {
  all: ["executions"] as const,
  lists: ["executions", "list"] as const,
  list: (filter: Filter) => ["executions", "list", filter] as const,
  count: (filter: Filter) => ["executions", "count", filter] as const,
  active: ["executions", "active"] as const,
  stats: (hours: number) => ["executions", "stats", hours] as const,
  detail: (id: string) => ["executions", "detail", id] as const,
  events: (id: string) => ["executions", "events", id] as const,
  logs: (id: string) => ["executions", "logs", id] as const,
  output: (id: string) => ["executions", "output", id] as const,
  usage: (id: string) => ["executions", "usage", id] as const,
  diff: (a: string, b: string) => ["executions", "diff", a, b] as const,
  task: (id: string, path: string) => ["executions", "task", id, path] as const,
  definition: (id: string) => ["executions", "definition", id] as const,
};

export function toRow(view: ExecutionView): Row {
  return {
    id: view.id,
    execution_type: view.execution_type,
    status: view.status,
    workflow_id: view.workflow_id,
    workflow: { namespace: view.workflow.namespace, name: view.workflow.name },
    version: view.workflow.version,
    agent_id: view.agent_id,
    parent_execution_id: view.parent_execution_id,
    progress: view.progress,
    error: view.error,
    pause_reason: view.pause_reason,
    pause_limit: view.pause_limit,
    last_seq: view.last_seq,
    created_at: view.created_at,
    started_at: view.started_at,
    finished_at: view.finished_at,
    updated_at: view.updated_at,
    labels: view.labels,
    priority: view.priority,
    owner: view.created_by_name ?? undefined,
  };
}

/** Live queries are read again every few seconds while the socket is down. */
export const live = { live: true };

/** A filter as the service names it. */
function queryOf(filter: Filter) {
  const { type, agent, parent, label, after, before, ...same } = filter;
  return {
    ...same,
    execution_type: type,
    agent_id: agent,
    parent_execution_id: parent,
    created_after: after,
    created_before: before,
    // Serialized as `label.name=value`.
    ...(label ? { label } : {}),
  };
}

/** What is seen at first. */
const FIRST_PAGE = 50;
/** Who reads on reads more and more at once, up to this. */
const LONGEST_PAGE = 500;
/** The service gives no more than this at once. */
const ROWS_PER_READ = 100;

/** Reads from `cursor` on until it is enough. */
async function readPage(
  filter: Filter,
  cursor: string | undefined,
  isEnough: (items: readonly Row[]) => boolean,
  limit: number,
  signal?: AbortSignal,
): Promise<Page> {
  const items: Row[] = [];
  let next: string | undefined = cursor;
  do {
    const query = { ...queryOf(filter), limit, cursor: next };
    const answer = await must(client.GET("/api/v1/executions", { params: { query }, signal }));
    for (const item of answer.items) items.push(toRow(item));
    next = ("next_cursor" in answer && answer.next_cursor) || undefined;
  } while (next && !isEnough(items));
  return freshest.page({ cursor, items, next }, filter, cursor === undefined);
}

function readRows(filter: Filter, cursor: string | undefined, count: number, signal?: AbortSignal): Promise<Page> {
  return readPage(filter, cursor, (items) => items.length >= count, Math.min(count, ROWS_PER_READ), signal);
}

/** Every execution that a filter lets through, newest first, read as it is asked for. */
export async function* matchingIds(filter: Filter, signal: AbortSignal): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await readRows(filter, cursor, ROWS_PER_READ, signal);
    for (const row of page.items) yield row.id;
    cursor = page.next;
  } while (cursor);
}

/** How many executions a filter lets through. */
export function executionCount(filter: Filter) {
  return queryOptions({
    queryKey: executionKeys.count(filter),
    queryFn: async ({ signal }) => {
      const query = { ...queryOf(filter), page: 1, size: 1 };
      const answer = await must(client.GET("/api/v1/executions", { params: { query }, signal }));
      return "total" in answer ? answer.total : 0;
    },
    staleTime: 0,
  });
}

/**
 * A list, of which a reading reads the beginning only: what was read before of the rest stays, and further pages come by
 * {@link readFurther}.
 */
export function executionList(filter: Filter) {
  const queryKey = executionKeys.list(filter);
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client: queries }): Promise<ExecutionPages> => {
      const head = await readRows(filter, undefined, FIRST_PAGE, signal);
      const known = queries.getQueryData<ExecutionPages>(queryKey);
      return { pages: withHead(known?.pages ?? [], head) };
    },
    // Rows that stay are the same objects already; comparing thousands of them takes longer than drawing what is seen.
    structuralSharing: false,
    meta: live,
  });
}

/** Reads the page after the last one. Frames that come in meanwhile are kept: only the new page is put in. */
export async function readFurther(queries: QueryClient, filter: Filter): Promise<void> {
  const key = executionKeys.list(filter);
  const pages = queries.getQueryData<ExecutionPages>(key)?.pages ?? [];
  const last = pages.at(-1);
  if (!last?.next) return;
  if (last.next === AGAIN) {
    const page = await readRows(filter, undefined, last.items.length + LONGEST_PAGE);
    queries.setQueryData<ExecutionPages>(key, { pages: [page] });
    return;
  }
  const page = await readRows(filter, last.next, Math.min(LONGEST_PAGE, FIRST_PAGE * 2 ** pages.length));
  queries.setQueryData<ExecutionPages>(key, (now) =>
    now && now.pages.at(-1)?.next === page.cursor ? { pages: [...now.pages, page] } : now,
  );
}

/** Reads a page again whose rows were let go. */
export async function readAgain(queries: QueryClient, filter: Filter, index: number): Promise<void> {
  const key = executionKeys.list(filter);
  const page = queries.getQueryData<ExecutionPages>(key)?.pages[index];
  if (!page?.released) return;
  const { oldest } = page.released;
  const read = await readPage(filter, page.cursor, (rows) => (rows.at(-1)?.id ?? "") <= oldest, ROWS_PER_READ);
  // The next page begins below the oldest row.
  const items = read.items.filter(({ id }) => id >= oldest);
  queries.setQueryData<ExecutionPages>(key, (now) => {
    if (!now?.pages[index]?.released || now.pages[index].cursor !== page.cursor) return now;
    return { pages: now.pages.map((one, at) => (at === index ? { cursor: one.cursor, next: one.next, items } : one)) };
  });
}

export const activeExecutions = queryOptions({
  queryKey: executionKeys.active,
  queryFn: async ({ signal }) => {
    const answer = await must(client.GET("/api/v1/executions/active", { params: { query: { limit: 100 } }, signal }));
    return freshest.active(answer.items.map(toRow));
  },
  meta: live,
});

export function executionStats(hours: number) {
  return queryOptions({
    queryKey: executionKeys.stats(hours),
    queryFn: ({ signal }) => {
      const since = new Date(Date.now() - hours * 3_600_000).toISOString();
      return must(client.GET("/api/v1/executions/stats", { params: { query: { since } }, signal }));
    },
    meta: live,
  });
}

export function executionDetail(id: string) {
  return queryOptions({
    queryKey: executionKeys.detail(id),
    queryFn: async ({ signal }): Promise<ExecutionDetail> => {
      const detail = await must(client.GET("/api/v1/executions/{id}", { params: { path: { id } }, signal }));
      return freshest.detail(detail);
    },
    meta: live,
  });
}

const EVENTS_PER_READ = 1_000;

/** The journal after an event, read in as many parts as it takes. */
export async function readEvents(id: string, after: number, signal?: AbortSignal): Promise<EventView[]> {
  const events: EventView[] = [];
  for (let next: number | null | undefined = after; next != null; ) {
    const answer: History = await must(
      client.GET("/api/v1/executions/{id}/history", {
        params: { path: { id }, query: { after_seq: next, limit: EVENTS_PER_READ } },
        signal,
      }),
    );
    // One by one: spreading tens of thousands of arguments overflows the stack.
    for (const event of answer.items) events.push(event);
    next = answer.next_after_seq;
  }
  return events;
}

const LINES_PER_READ = 500;

export async function readLogs(id: string, after: number, signal?: AbortSignal): Promise<LogView[]> {
  const lines: LogView[] = [];
  for (let next: number | null | undefined = after; next != null; ) {
    const answer: Log = await must(
      client.GET("/api/v1/executions/{id}/logs", {
        params: { path: { id }, query: { after: next, limit: LINES_PER_READ } },
        signal,
      }),
    );
    for (const line of answer.items) lines.push(line);
    next = answer.next_after;
  }
  return lines;
}

/** A definition never changes. */
export function executionDefinition(id: string) {
  return queryOptions({
    queryKey: executionKeys.definition(id),
    queryFn: ({ signal }) =>
      must(client.GET("/api/v1/executions/{id}/definition", { params: { path: { id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Two executions side by side, with all their tasks. */
export function executionDiff(a: string, b: string) {
  return queryOptions({
    queryKey: executionKeys.diff(a, b),
    queryFn: async ({ signal }): Promise<ExecutionDiff> => {
      const read = (offset: number) => {
        const params = { path: { id: a, other: b }, query: { offset } };
        return must(client.GET("/api/v1/executions/{id}/diff/{other}", { params, signal }));
      };
      const diff = await read(0);
      for (let next = diff.next_offset; next != null; ) {
        const part = await read(next);
        diff.tasks.push(...part.tasks);
        next = part.next_offset;
      }
      return diff;
    },
    meta: live,
  });
}

/** What the service knows of one instance of a task; what it works on never changes. */
export function taskInstance(id: string, path: string) {
  return queryOptions({
    queryKey: executionKeys.task(id, path),
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { path } };
      const answer = await must(client.GET("/api/v1/executions/{id}/tasks", { params, signal }));
      return answer.items[0] ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function executionUsage(id: string) {
  return queryOptions({
    queryKey: executionKeys.usage(id),
    queryFn: ({ signal }) => must(client.GET("/api/v1/executions/{id}/usage", { params: { path: { id } }, signal })),
    meta: live,
  });
}

/** Commands answer with the execution as it is then. */
export type Command = "cancel" | "pause" | "resume" | "retry" | "rerun";

export async function command(id: string, name: Command): Promise<ExecutionView> {
  const path = { id };
  switch (name) {
    case "cancel":
      return must(client.POST("/api/v1/executions/{id}/cancel", { params: { path }, body: {} }));
    case "pause":
      return must(client.POST("/api/v1/executions/{id}/pause", { params: { path }, body: {} }));
    case "resume":
      return must(client.POST("/api/v1/executions/{id}/resume", { params: { path }, body: {} }));
    case "retry":
      return must(client.POST("/api/v1/executions/{id}/retry", { params: { path, header: idempotent() }, body: {} }));
    case "rerun":
      return must(client.POST("/api/v1/executions/{id}/rerun", { params: { path, header: idempotent() }, body: {} }));
  }
}

function idempotent() {
  return { "Idempotency-Key": freshKey() };
}

export function startExecution(body: StartExecution): Promise<ExecutionView> {
  return must(client.POST("/api/v1/executions", { params: { header: idempotent() }, body }));
}

/** Lets an execution, and everything around it, spend more. What a limit had paused goes on. */
export function approveBudget(id: string, limits: BudgetLimits): Promise<ExecutionView> {
  return must(client.POST("/api/v1/executions/{id}/budget", { params: { path: { id } }, body: limits }));
}

const TERMINAL: readonly Status[] = ["succeeded", "failed", "cancelled"];

export function isTerminal(status: Status): boolean {
  return TERMINAL.includes(status);
}

/** What the service asks of whoever sends a command. */
export function actionOf(name: Command): Action {
  return name === "retry" || name === "rerun" ? "execution_start" : "execution_steer";
}

/** What may be asked of an execution in this status. */
export function commandsFor(status: Status): Command[] {
  switch (status) {
    case "pending":
      return ["cancel"];
    case "running":
    case "waiting":
      return ["pause", "cancel"];
    case "paused":
      return ["resume", "cancel"];
    case "failed":
    case "cancelled":
      return ["retry", "rerun"];
    case "succeeded":
      return ["rerun"];
  }
}
