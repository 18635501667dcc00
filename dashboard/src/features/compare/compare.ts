// Pure: two executions side by side, task by task.
import type { Instance } from "@/features/execution/timeline";

export interface ComparedTask {
  /** The instance, which has the same name in both as long as both took the same way. */
  path: string;
  pointer: string;
  name: string;
  a?: Instance;
  b?: Instance;
  isSame: boolean;
}

export function compareTasks(a: readonly Instance[], b: readonly Instance[]): ComparedTask[] {
  const inB = new Map(b.map((instance) => [instance.path, instance]));
  const found: ComparedTask[] = a.map((instance) => {
    const other = inB.get(instance.path);
    inB.delete(instance.path);
    return compared(instance, other);
  });
  for (const instance of inB.values()) found.push(compared(undefined, instance));
  return found;
}

function compared(a: Instance | undefined, b: Instance | undefined): ComparedTask {
  const some = a ?? b;
  return {
    path: some?.path ?? "",
    pointer: some?.pointer ?? "",
    name: some?.name ?? "",
    a,
    b,
    isSame: a !== undefined && b !== undefined && a.status === b.status && asText(a.output) === asText(b.output),
  };
}

/** Values in a form in which the order of fields does not matter. */
export function asText(value: unknown): string {
  return (
    JSON.stringify(
      value,
      (_, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
          : inner,
      2,
    ) ?? ""
  );
}
