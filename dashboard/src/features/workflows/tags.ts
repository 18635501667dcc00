// Pure: the tags that a definition carries, as people read and search them.

export interface Tag {
  name: string;
  /** Empty for one that is only a word. */
  value: string;
}

export function tagsOf(tags: Readonly<Record<string, unknown>>): Tag[] {
  return Object.entries(tags).map(([name, value]) => ({
    name,
    value: value === null || value === true ? "" : wordsOf(value),
  }));
}

function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(wordsOf).join(", ") : JSON.stringify(value);
}

export function tagText({ name, value }: Tag): string {
  return value ? `${name}: ${value}` : name;
}

/** Whether a workflow is meant by what somebody has typed: it is somewhere in its name, title, summary or tags. */
export function isMeant(
  workflow: {
    namespace: string;
    name: string;
    title?: string | null;
    summary?: string | null;
    tags: Readonly<Record<string, unknown>>;
  },
  typed: string,
): boolean {
  const { namespace, name, title, summary, tags } = workflow;
  const text = [`${namespace}/${name}`, title ?? "", summary ?? "", ...tagsOf(tags).map(tagText)]
    .join("\n")
    .toLowerCase();
  return text.includes(typed.trim().toLowerCase());
}
