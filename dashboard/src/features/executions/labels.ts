// Pure: labels as the lines of a form, and what the service would refuse of them.

/** One label as it is being written. */
export interface LabelLine {
  /** Stays with the line while others come and go. */
  key: number;
  name: string;
  value: string;
}

export type LabelProblem = "name" | "value" | "twice";

export const MAX_LABELS = 32;
const MAX_NAME = 63;
const MAX_VALUE = 255;

const CONTROL = /\p{Cc}/u;

export function linesOf(labels: Readonly<Record<string, string>>): LabelLine[] {
  return Object.entries(labels).map(([name, value], key) => ({ key, name, value }));
}

/** The labels that the lines mean, and what is wrong with which line. Empty lines mean nothing. */
export function labelsOfLines(lines: readonly LabelLine[]): {
  labels: Record<string, string>;
  problems: ReadonlyMap<number, LabelProblem>;
} {
  const labels: Record<string, string> = {};
  const problems = new Map<number, LabelProblem>();
  for (const { key, name: typed, value: typedValue } of lines) {
    const [name, value] = [typed.trim(), typedValue.trim()];
    if (name === "" && value === "") continue;
    if (name === "" || [...name].length > MAX_NAME || CONTROL.test(name)) problems.set(key, "name");
    else if (Object.hasOwn(labels, name)) problems.set(key, "twice");
    else if ([...value].length > MAX_VALUE || CONTROL.test(value)) problems.set(key, "value");
    else labels[name] = value;
  }
  return { labels, problems };
}

export function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
