// Executions: query keys, what is read, what is done to them.

import { queryOptions } from "@tanstack/react-query";
import { freshest } from "@/live/latest";
import { MAX_ACTIVE } from "@/live/patch";
import type { Action } from "@/may";
import { client, freshKey, must } from "./client";
import { serviceNow } from "./clock";
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
  /** The newest retry of it, or of what it is a part of. No update of its own carries it: those of the retry do. */
  continued_by?: string | null;
}

export interface Filter {
  status?: Status[];
  type?: ExecutionType;
  /** `namespace/name` */
  workflow?: string;
  agent?: string;
  parent?: string;
  /** Whether a retry goes on with it. */
  continued?: boolean;
  label?: Record<string, string>;
  /** Text in id, name, creator, input or error. */
  q?: string;
  after?: string;
  before?: string;
}

/** Where an execution stands in a list. */
export type Created = Pick<Row, "id" | "created_at">;

/** A part of a list, as it was read. */
export interface Page {
  /** Where it begins; the first one has none. */
  cursor?: string;
  items: Row[];
  /** Where the next one begins; nothing follows without it. */
  next?: string;
  /** The oldest row that was read, also when it has left the list since: the next page begins below it. */
  end?: Created;
  /** What is known of a page whose rows were let go, so that it can be read again when somebody looks at it. */
  released?: { count: number; oldest: Created };
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
    continues: view.trigger === "retry" ? view.forked_from?.execution_id : undefined,
    continued_by: view.continued_by,
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

export const activeExecutions = queryOptions({
  queryKey: executionKeys.active,
  queryFn: async ({ signal }) => {
    const asked = freshest.now();
    const params = { query: { limit: MAX_ACTIVE } };
    const answer = await must(client.GET("/api/v1/executions/active", { params, signal }));
    return freshest.active(answer.items.map(toRow), asked);
  },
  meta: live,
});

const HOUR_MS = 3_600_000;

/** How long the hour that has begun goes on. */
function restOfHour(): number {
  return HOUR_MS - (serviceNow() % HOUR_MS) + 1_000;
}

/** Figures of the last hours go on without anything happening: with each hour that begins they are read again. */
export const hourly = { refetchInterval: restOfHour, refetchIntervalInBackground: true };

export function executionStats(hours: number) {
  return queryOptions({
    queryKey: executionKeys.stats(hours),
    queryFn: ({ signal }) => {
      const since = new Date(serviceNow() - hours * HOUR_MS).toISOString();
      return must(client.GET("/api/v1/executions/stats", { params: { query: { since } }, signal }));
    },
    ...hourly,
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

/** What may be asked of an execution in this status, the most likely first. */
export function commandsFor(status: Status, isContinued = false): Command[] {
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
      return isContinued ? ["rerun", "retry"] : ["retry", "rerun"];
    case "succeeded":
      return ["rerun"];
  }
}
