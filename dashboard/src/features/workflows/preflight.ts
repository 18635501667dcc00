// Pure: what a pre-flight has found, in the order in which one looks at it.
import type { PreflightView, TouchKind, TouchView, Verdict } from "@/api/generated/schema";

export const kinds: readonly TouchKind[] = ["agent", "request", "token", "schema", "workflow", "program"];

/** Whether an execution that comes to it is sure to fail there as things are. */
export function isBad(verdict: Verdict): boolean {
  return verdict !== "ready" && verdict !== "unknown";
}

/** One thing, and all the tasks that touch it. */
export interface Touched {
  subject: string;
  isComputed: boolean;
  verdict: Verdict;
  tasks: string[];
  /** By all of them together; nothing bounds it when it is missing. */
  atMost?: number;
}

export interface Group {
  kind: TouchKind;
  things: Touched[];
}

function add(known: Touched | undefined, touch: TouchView): Touched {
  const atMost = touch.at_most ?? undefined;
  if (!known) {
    const { subject, verdict, is_computed: isComputed, task } = touch;
    return { subject, verdict, isComputed, tasks: [task], atMost };
  }
  const sum = known.atMost === undefined || atMost === undefined ? undefined : known.atMost + atMost;
  const tasks = known.tasks.includes(touch.task) ? known.tasks : [...known.tasks, touch.task];
  return { ...known, tasks, atMost: sum };
}

/** By kind, each thing once; what would fail comes first. */
export function groupsOf(touches: readonly TouchView[]): Group[] {
  return kinds.flatMap((kind) => {
    const found = new Map<string, Touched>();
    for (const touch of touches) {
      if (touch.kind !== kind) continue;
      const key = `${touch.is_computed} ${touch.subject}`;
      found.set(key, add(found.get(key), touch));
    }
    const things = [...found.values()].sort((a, b) => Number(isBad(b.verdict)) - Number(isBad(a.verdict)));
    return things.length > 0 ? [{ kind, things }] : [];
  });
}

/** How many different things would fail. */
export function badCount(view: PreflightView): number {
  const things = groupsOf(view.touches).flatMap((group) => group.things);
  return [...things, ...view.secrets].filter(({ verdict }) => isBad(verdict)).length;
}
