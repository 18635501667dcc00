// Lists that are read one stretch after the other.

export interface Stretch<T> {
  items: T[];
  next?: string;
}

/** A list comes as a page or as a stretch; only a stretch says where it goes on. */
export function stretch<T>(answer: { items: T[] } | { items: T[]; next_cursor?: string | null }): Stretch<T> {
  return { items: answer.items, next: "next_cursor" in answer ? (answer.next_cursor ?? undefined) : undefined };
}

export function toNext({ next }: { next?: string }): string | undefined {
  return next;
}
