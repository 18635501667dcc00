// Pure: a workflow definition as a tree of tasks with the ways between them. Nothing here knows coordinates or React.

export type Kind =
  | "call"
  | "do"
  | "emit"
  | "for"
  | "fork"
  | "listen"
  | "raise"
  | "run"
  | "set"
  | "switch"
  | "try"
  | "wait"
  | "unknown";

/** As what it is drawn: its kind, or more exactly what it asks or starts. */
export type Look = Kind | "agent" | "http" | "race" | "workflow";

/** A list of tasks inside another task. */
export interface Lane {
  /** `do`, `try`, `catch`, or `branch` for each of a fork's. */
  role: "do" | "try" | "catch" | "branch";
  tasks: TaskNode[];
}

export interface TaskNode {
  /** JSON pointer to the task in the definition: what events name it by. */
  pointer: string;
  name: string;
  kind: Kind;
  look: Look;
  /** What it calls, runs, waits for … in a few words. */
  detail: string;
  /** The condition without which it is skipped. */
  condition?: string;
  lanes: Lane[];
  /** Where it goes on, when that is not simply the next task. */
  ways: Way[];
}

export interface Way {
  /** The name of a sibling, or `end`, `exit`, `continue`. */
  to: string;
  /** The case of a `switch`, and its condition. */
  label?: string;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const KINDS: readonly Kind[] = [
  "for",
  "call",
  "emit",
  "fork",
  "listen",
  "raise",
  "run",
  "set",
  "switch",
  "try",
  "wait",
  "do",
];

/** The tasks of a definition; a definition that is being written may be wrong anywhere, and shows what can be understood. */
export function modelOf(definition: unknown): TaskNode[] {
  return isObject(definition) ? tasksOf(definition.do, "/do") : [];
}

function escapeSegment(text: string): string {
  return text.replaceAll("~", "~0").replaceAll("/", "~1");
}

function tasksOf(list: unknown, pointer: string): TaskNode[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    if (!isObject(item)) return [];
    const [name, task] = Object.entries(item)[0] ?? [];
    if (name === undefined || !isObject(task)) return [];
    return [taskOf(name, task, `${pointer}/${index}/${escapeSegment(name)}`)];
  });
}

function taskOf(name: string, task: Json, pointer: string): TaskNode {
  const kind = KINDS.find((one) => one in task) ?? "unknown";
  const node: TaskNode = {
    pointer,
    name,
    kind,
    look: lookOf(kind, task),
    detail: detailOf(kind, task),
    lanes: lanesOf(kind, task, pointer),
    ways: [],
  };
  if (task.if !== undefined) node.condition = String(task.if);
  if (kind === "switch") node.ways = casesOf(task.switch);
  else if (typeof task.then === "string" && task.then !== "continue") node.ways = [{ to: task.then }];
  return node;
}

function casesOf(cases: unknown): Way[] {
  if (!Array.isArray(cases)) return [];
  return cases.flatMap((item: unknown) => {
    if (!isObject(item)) return [];
    const [name, body] = Object.entries(item)[0] ?? [];
    if (name === undefined || !isObject(body)) return [];
    return [{ to: typeof body.then === "string" ? body.then : "continue", label: name }];
  });
}

function lanesOf(kind: Kind, task: Json, pointer: string): Lane[] {
  switch (kind) {
    case "do":
    case "for":
      return [{ role: "do", tasks: tasksOf(task.do, `${pointer}/do`) }];
    case "fork": {
      const branches = isObject(task.fork) ? tasksOf(task.fork.branches, `${pointer}/fork/branches`) : [];
      return branches.map((branch) => ({ role: "branch", tasks: [branch] }));
    }
    case "try": {
      const lanes: Lane[] = [{ role: "try", tasks: tasksOf(task.try, `${pointer}/try`) }];
      const handler = isObject(task.catch) ? tasksOf(task.catch.do, `${pointer}/catch/do`) : [];
      if (handler.length > 0) lanes.push({ role: "catch", tasks: handler });
      return lanes;
    }
    case "listen": {
      const each = isObject(task.foreach) ? tasksOf(task.foreach.do, `${pointer}/foreach/do`) : [];
      return each.length > 0 ? [{ role: "do", tasks: each }] : [];
    }
    case "call":
    case "emit":
    case "raise":
    case "run":
    case "set":
    case "switch":
    case "wait":
    case "unknown":
      return [];
  }
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "" : JSON.stringify(value);
}

/** The path of nested fields, as far as it exists. */
function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((inner, field) => (isObject(inner) ? inner[field] : undefined), value);
}

function lookOf(kind: Kind, task: Json): Look {
  if (kind === "call" && (task.call === "agent" || task.call === "http")) return task.call;
  if (kind === "run" && at(task.run, "workflow") !== undefined) return "workflow";
  return kind === "fork" && at(task.fork, "compete") === true ? "race" : kind;
}

function detailOf(kind: Kind, task: Json): string {
  switch (kind) {
    case "call":
      return callDetail(text(task.call), task.with);
    case "run": {
      const [what, body] =
        Object.entries(isObject(task.run) ? task.run : {}).find(([key]) => key !== "await" && key !== "return") ?? [];
      const about = at(body, "command") ?? at(body, "image") ?? at(body, "name") ?? at(body, "language");
      return [what, text(about)].filter(Boolean).join(" ");
    }
    case "wait":
      return durationText(task.wait);
    case "for":
      return `${text(at(task.for, "each")) || "item"} in ${text(at(task.for, "in"))}`;
    case "raise":
      return text(at(task.raise, "error", "title") ?? at(task.raise, "error", "type") ?? at(task.raise, "error"));
    case "set":
      return isObject(task.set) ? Object.keys(task.set).join(", ") : text(task.set);
    case "emit":
      return text(at(task.emit, "event", "with", "type"));
    case "do":
    case "fork":
    case "listen":
    case "switch":
    case "try":
    case "unknown":
      return "";
  }
}

function callDetail(what: string, parameters: unknown): string {
  const endpoint = at(parameters, "endpoint");
  const address = typeof endpoint === "string" ? endpoint : text(at(endpoint, "uri"));
  if (what === "http") return `${text(at(parameters, "method")).toUpperCase()} ${address}`.trim();
  if (what === "agent") return `agent ${text(at(parameters, "agent"))}`.trim();
  return what;
}

/** As durations are written everywhere else. */
const UNITS: Record<string, string> = { days: "d", hours: "h", minutes: "m", seconds: "s", milliseconds: "ms" };

function durationText(value: unknown): string {
  if (!isObject(value)) return text(value);
  return Object.entries(value)
    .map(([unit, amount]) => `${text(amount)} ${UNITS[unit] ?? unit}`)
    .join(" ");
}

/** Every task of a tree, parents before children. */
export function flat(tasks: readonly TaskNode[]): TaskNode[] {
  return tasks.flatMap((task) => [task, ...task.lanes.flatMap((lane) => flat(lane.tasks))]);
}
