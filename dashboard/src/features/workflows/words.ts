// Pure: which words of the workflow language may stand at a place of a text that is being written. The service has the last word;
// what is offered here is what it would take, so that nobody has to know the language by heart.

/** Where somebody types. */
export interface Place {
  /** The keys around it, the outermost first; `-` for the name of a list's item. */
  path: string[];
  /** What stands beside it, with its value when that is on the same line. */
  beside: Record<string, string>;
  /** Of the mapping around that one: what a `with` belongs to. */
  around: Record<string, string>;
}

interface Key {
  /** Columns of the key, and of the dash before it. */
  column: number;
  dash?: number;
  name: string;
  value: string;
}

const KEY = /^(\s*)((?:-\s+)?)(['"]?)([^\s'"#:{}[\],-][^'"#:{}[\]]*)\3:(?:\s+(.*))?$/;

function keyOf(line: string): Key | undefined {
  const [, space, dash, , name, value] = KEY.exec(line) ?? [];
  if (space === undefined || name === undefined) return undefined;
  const column = space.length + (dash?.length ?? 0);
  return { column, dash: dash ? space.length : undefined, name, value: (value ?? "").trim() };
}

function indentOf(line: string): number {
  return line.search(/\S/);
}

/** The keys of the mapping to which a key in `column` of line `index` belongs. */
function keysAt(lines: readonly string[], index: number, column: number): Record<string, string> {
  const found: Record<string, string> = {};
  const look = (step: 1 | -1) => {
    for (let at = index + step; at >= 0 && at < lines.length; at += step) {
      const line = lines[at] ?? "";
      const indent = indentOf(line);
      if (indent < 0 || line.trimStart().startsWith("#")) continue;
      const key = keyOf(line);
      const begins = key?.dash !== undefined && key.column === column;
      if (indent < column && !begins) return;
      if (begins && step === 1) return;
      if (key?.column === column) found[key.name] = key.value;
      if (begins) return;
    }
  };
  look(-1);
  look(1);
  return found;
}

/** The place in `column` of line `index`, where that line itself has nothing yet. */
export function placeOf(lines: readonly string[], index: number, column: number): Place {
  const path: string[] = [];
  const beside = keysAt(lines, index, column);
  let around: Record<string, string> | undefined;
  let limit = column;
  for (let at = index - 1; at >= 0 && limit > 0; at -= 1) {
    const line = lines[at] ?? "";
    if (indentOf(line) < 0 || line.trimStart().startsWith("#")) continue;
    const key = keyOf(line);
    if (!key || key.column >= limit) {
      if (indentOf(line) < limit && !key) limit = indentOf(line);
      continue;
    }
    around ??= keysAt(lines, at, key.column);
    path.unshift(key.dash === undefined ? key.name : "-");
    // The list of an item may begin in the column of what it belongs to.
    limit = key.dash === undefined ? key.column : key.dash + 1;
  }
  return { path, beside, around: around ?? {} };
}

const ROOT = ["document", "input", "use", "timeout", "do", "output", "evaluate"];
const KINDS = ["call", "do", "for", "fork", "raise", "run", "set", "switch", "try", "wait"];
const COMMON = ["if", "input", "output", "export", "timeout", "then", "metadata"];
/** What belongs to a kind of task beside its own word. */
const WITH_KIND: Record<string, readonly string[]> = { call: ["with"], for: ["while", "do"], try: ["catch"] };
/** The lists that hold tasks. */
const TASK_LISTS = ["do", "branches", "try"];
const DURATION = ["days", "hours", "minutes", "seconds", "milliseconds"];
const ERROR = ["type", "status", "title", "detail", "instance"];
const JSON_SCHEMA = [
  "type",
  "title",
  "description",
  "default",
  "enum",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
];
const RETRY = ["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];

/** By the innermost keys; the longest that fits counts. */
const WORDS: Record<string, readonly string[]> = {
  document: ["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"],
  "schema document": JSON_SCHEMA,
  items: JSON_SCHEMA,
  use: ["authentications", "errors", "functions", "retries", "secrets", "timeouts"],
  evaluate: ["language", "mode"],
  input: ["schema", "from"],
  output: ["schema", "as"],
  export: ["schema", "as"],
  schema: ["format", "document", "resource"],
  run: ["shell", "workflow", "await", "return"],
  shell: ["command", "arguments", "stdin", "environment"],
  workflow: ["namespace", "name", "version", "input"],
  for: ["each", "in", "at"],
  fork: ["branches", "compete"],
  catch: ["errors", "as", "when", "exceptWhen", "retry", "do", "then"],
  "catch errors": ["with"],
  "errors with": ERROR,
  raise: ["error"],
  error: ERROR,
  retry: RETRY,
  backoff: ["constant", "linear", "exponential"],
  jitter: ["from", "to"],
  limit: ["attempt", "duration"],
  attempt: ["count", "duration"],
  timeout: ["after"],
  endpoint: ["uri", "authentication"],
  wait: DURATION,
  delay: DURATION,
  after: DURATION,
  duration: DURATION,
  from: DURATION,
  to: DURATION,
};

const CALLS: Record<string, readonly string[]> = {
  http: ["method", "endpoint", "headers", "query", "body", "output", "redirect"],
  agent: ["agent", "prompt", "input", "system_prompt", "parameters", "output"],
};

function isTask(path: readonly string[]): boolean {
  const [outer, inner] = path.slice(-2);
  return (inner === "-" && TASK_LISTS.includes(outer ?? "")) || path.slice(0, -1).join(" ") === "use functions";
}

function wordsAt({ path, beside, around }: Place): readonly string[] {
  const last = path.at(-1);
  if (last === undefined) return ROOT;
  if (isTask(path)) {
    const kind = KINDS.find((one) => one in beside);
    return kind === undefined ? [...KINDS, ...COMMON] : [...(WITH_KIND[kind] ?? []), ...COMMON];
  }
  if (path.at(-2) === "switch" && last === "-") return ["when", "then"];
  if (path.at(-2) === "properties") return JSON_SCHEMA;
  if (path.length === 3 && path[0] === "use" && path[1] === "retries") return RETRY;
  if (last === "with" && path.at(-2) !== "errors") return CALLS[around.call ?? ""] ?? [];
  return WORDS[path.slice(-2).join(" ")] ?? WORDS[last] ?? [];
}

/** The keys that may be written there, without those that are there already. */
export function keysFor(place: Place): string[] {
  return wordsAt(place).filter((word) => !(word in place.beside));
}

/** The values that a key may have there, as far as they are words. */
export function valuesFor({ path, around }: Place, key: string, agents: readonly string[]): readonly string[] {
  const last = path.at(-1);
  if (isTask(path)) {
    if (key === "call") return ["http", "agent"];
    if (key === "then") return ["continue", "exit", "end"];
  }
  if (last === "with" && around.call === "agent" && key === "agent") return agents;
  if (last === "with" && around.call === "http") {
    if (key === "method") return ["get", "post", "put", "patch", "delete", "head"];
    if (key === "output") return ["content", "response", "raw"];
  }
  if (last === "run" && key === "return") return ["stdout", "stderr", "code", "all", "none"];
  if ((last === "run" && key === "await") || (last === "fork" && key === "compete")) return ["true", "false"];
  if (key === "type" && path.includes("schema")) {
    return ["object", "string", "integer", "number", "boolean", "array", "null"];
  }
  if (last === "document" && path.length === 1 && key === "dsl") return ["'1.0.3'"];
  return [];
}

/**
 * How far the line after `before` is indented, where that cannot be told from the line alone: what belongs to a key that has no
 * value yet stands below it, and what belongs to a task stands below its name.
 */
export function indentAfter(before: string): number | undefined {
  const key = keyOf(before.trimEnd());
  if (!key || !/^(?:[|>][+-]?\d?)?$/.test(key.value)) return undefined;
  return key.dash === undefined ? key.column + 2 : key.dash + 4;
}
