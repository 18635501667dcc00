// Pure: the address of the list is its state. A link shows what its sender saw.
import type { Filter } from "@/api/executions";
import type { ExecutionType, Status } from "@/api/generated/schema";
import { columnsText, parseColumns } from "./columns";

export const statuses: readonly Status[] = [
  "pending",
  "running",
  "waiting",
  "paused",
  "succeeded",
  "failed",
  "cancelled",
];
export const types: readonly ExecutionType[] = ["workflow", "agent_test"];
export const spans = ["1h", "24h", "7d", "30d"] as const;
export const continuedWords = ["false", "true"] as const;
export type Span = (typeof spans)[number];

export interface ListSearch {
  /** Several are separated by commas. */
  status?: string;
  type?: ExecutionType;
  workflow?: string;
  agent?: string;
  /** The execution whose children are shown. */
  parent?: string;
  /** Whether a retry goes on with them. */
  continued?: "true" | "false";
  /** `name=value`, several separated by commas. */
  label?: string;
  since?: Span;
  q?: string;
  /** Those that are shown; the own choice when absent. */
  columns?: string;
  /** The saved view that all this comes from. */
  view?: string;
}

/** Whatever stands in the address: what is not understood is left out. */
export function parseListSearch(raw: Record<string, unknown>): ListSearch {
  const text = (name: string) => (typeof raw[name] === "string" && raw[name] !== "" ? raw[name] : undefined);
  const known = text("status")
    ?.split(",")
    .filter((one): one is Status => statuses.some((status) => status === one));
  const shown = parseColumns(text("columns"));
  return {
    status: known?.length ? known.join(",") : undefined,
    type: types.find((type) => type === raw.type),
    workflow: text("workflow"),
    agent: text("agent"),
    parent: text("parent"),
    continued: continuedWords.find((word) => word === raw.continued),
    label: text("label"),
    since: spans.find((span) => span === raw.since),
    q: text("q"),
    columns: shown ? columnsText(shown) : undefined,
    view: text("view"),
  };
}

export function statusesOf(search: ListSearch): Status[] {
  return statuses.filter((status) => search.status?.split(",").includes(status));
}

const SPAN_MS: Record<Span, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export function labelsOf(text: string | undefined): Record<string, string> | undefined {
  const pairs = (text ?? "")
    .split(",")
    .map((pair) => pair.trim().split(/=(.*)/s))
    .filter((pair): pair is [string, string] => Boolean(pair[0]) && pair[1] !== undefined);
  return pairs.length > 0 ? Object.fromEntries(pairs.map(([name, value]) => [name.trim(), value.trim()])) : undefined;
}

/** The filter of a list that is opened at `now`; to the minute, so that it stays the same while one looks at it. */
export function filterOf(search: ListSearch, now: number): Filter {
  const begin = search.since
    ? new Date(Math.floor((now - SPAN_MS[search.since]) / 60_000) * 60_000).toISOString()
    : undefined;
  const status = statusesOf(search);
  return {
    status: status.length > 0 ? status : undefined,
    type: search.type,
    workflow: search.workflow?.includes("/") ? search.workflow : undefined,
    agent: search.agent,
    parent: search.parent,
    continued: search.continued && search.continued === "true",
    label: labelsOf(search.label),
    after: begin,
    q: search.q,
  };
}

/** The address of a list with this filter; times are not kept, for they have gone by. */
export function searchOf({ status, type, workflow, agent, parent, continued, label, q }: Filter): ListSearch {
  const pairs = Object.entries(label ?? {}).map(([name, value]) => `${name}=${value}`);
  return {
    status: status?.join(","),
    type,
    workflow,
    agent,
    parent,
    continued: continued === undefined ? undefined : continued ? "true" : "false",
    label: pairs.length > 0 ? pairs.join(",") : undefined,
    q,
  };
}

/** Whether the list may lack something because of what is asked for. */
export function isFiltered(search: ListSearch): boolean {
  const { columns: _, view: __, ...filters } = search;
  return Object.values(filters).some((value) => value !== undefined);
}
