export const tabs = ["graph", "timeline", "logs", "events", "output", "usage"] as const;
export type Tab = (typeof tabs)[number];

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/** The state of an execution's page, as it stands in the address. */
export interface ExecutionSearch {
  tab?: Tab;
  /** The instance of a task, or a task's pointer, that is looked at. */
  task?: string;
  /** Logs of at least this level. */
  level?: Level;
  /** Text in logs. */
  q?: string;
  /** Events of this type. */
  type?: string;
  /** Time in which nothing worked takes no room in the timeline. */
  idle?: "hidden";
}

export function parseExecutionSearch(raw: Record<string, unknown>): ExecutionSearch {
  const text = (name: string) => (typeof raw[name] === "string" && raw[name] !== "" ? raw[name] : undefined);
  return {
    tab: tabs.find((tab) => tab === raw.tab),
    task: text("task"),
    level: levels.find((level) => level === raw.level),
    q: text("q"),
    type: text("type"),
    idle: raw.idle === "hidden" ? "hidden" : undefined,
  };
}
