// Pure: log lines by level, task and text. A log that grows is looked through once: only what is new is looked at.
import type { LogView } from "@/api/generated/schema";
import { type Level, levels } from "./search";
import { nameOf } from "./timeline";

export interface LogFilter {
  /** Lines of this level and above. */
  level?: Level;
  /** The pointer of a task. */
  task?: string;
  /** Text in a message, in any case. */
  text: string;
}

function passes(line: LogView, least: number, { task }: LogFilter, wanted: string): boolean {
  return (
    levels.indexOf(line.level as Level) >= least &&
    (!task || line.task === task) &&
    (!wanted || line.message.toLowerCase().includes(wanted))
  );
}

/** Whether `lines` are those that were looked at, and perhaps more. */
function isContinued(lines: readonly LogView[], count: number, first?: LogView, last?: LogView): boolean {
  return lines.length >= count && lines[0] === first && lines[count - 1] === last;
}

/** What is shown of a log under one filter, and the tasks that have written to it. */
export class LogReader {
  #filter: LogFilter;
  #count = 0;
  #first: LogView | undefined;
  #last: LogView | undefined;
  #shown: LogView[] = [];
  #tasks: string[] = [];

  constructor(filter: LogFilter) {
    this.#filter = filter;
  }

  /** Who has written to it, whatever passes; the same array when nobody was added. */
  tasksOf(lines: readonly LogView[]): readonly string[] {
    this.read(lines);
    return this.#tasks;
  }

  /** The lines that pass; the same array when nothing was added to them. */
  read(lines: readonly LogView[]): readonly LogView[] {
    if (!isContinued(lines, this.#count, this.#first, this.#last)) {
      [this.#count, this.#shown, this.#tasks] = [0, [], []];
    }
    const least = this.#filter.level ? levels.indexOf(this.#filter.level) : 0;
    const wanted = this.#filter.text.toLowerCase();
    const [added, tasks] = [[] as LogView[], new Set(this.#tasks)];
    for (let index = this.#count; index < lines.length; index += 1) {
      const line = lines[index];
      if (!line) continue;
      if (line.task) tasks.add(line.task);
      if (passes(line, least, this.#filter, wanted)) added.push(line);
    }
    [this.#count, this.#first, this.#last] = [lines.length, lines[0], lines.at(-1)];
    if (tasks.size > this.#tasks.length) this.#tasks = [...tasks];
    if (added.length > 0) this.#shown = this.#shown.concat(added);
    return this.#shown;
  }
}

export function asText(lines: readonly LogView[]): string {
  return lines
    .map(
      (line) =>
        `${line.at} ${line.level.toUpperCase().padEnd(5)} ${line.task ? `${nameOf(line.task)}: ` : ""}${line.message}`,
    )
    .join("\n");
}
