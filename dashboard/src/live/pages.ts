// Pure: a long list of executions as it was read, page by page. What changes is put in its place, what was read anew replaces what was
// known, and pages that nobody looks at are let go: what is kept of them is how many rows they had.
import type { Created, Filter, Page, Row } from "@/api/executions";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { byNewest, continuations, matches, type Patched, patchContinued, patchRow } from "./patch";

/** How far down a page goes, whether its rows are there, have left the list, or were let go. */
function oldestOf(page: Page): Created | undefined {
  const last = page.items.at(-1);
  if (page.released) return page.released.oldest;
  return page.end && (!last || byNewest(last, page.end) < 0) ? page.end : last;
}

function countOf(page: Page): number {
  return page.released?.count ?? page.items.length;
}

/** A list of which less than this is left while more follows is read again: there are places that show its beginning only. */
const LITTLE = 25;

/** Puts new rows into the first page that goes down to where they are. Those of pages that were let go come with a reading. */
function insert(pages: Page[], added: readonly Row[]): boolean {
  const byPage = new Map<number, Row[]>();
  for (const row of added) {
    const index = pages.findIndex((page, at) => {
      const end = oldestOf(page);
      return at === pages.length - 1 || (end !== undefined && byNewest(row, end) <= 0);
    });
    if (pages[index]?.released) continue;
    const rows = byPage.get(index);
    if (rows) rows.push(row);
    else byPage.set(index, [row]);
  }
  for (const [index, rows] of byPage) {
    const page = pages[index];
    if (page) pages[index] = { ...page, items: [...rows, ...page.items].sort(byNewest) };
  }
  return byPage.size > 0;
}

/**
 * A list after updates: known rows are changed or, when they do not belong any more, taken out; new ones that belong come in
 * at their place, and what they go on with is told so. Rows that lie beyond what was read so far, or in what was let go, are left to the reading.
 */
export function patchPages(
  pages: readonly Page[],
  filter: Filter,
  updates: readonly ExecutionUpdate[],
): Patched<Page[]> {
  const byId = new Map(updates.map((update) => [update.id, update]));
  const continued = continuations(updates);
  let isStale = false;
  let changed = false;
  const patched = pages.map((page) => {
    const items: Row[] = [];
    let pageChanged = false;
    for (const row of page.items) {
      const update = byId.get(row.id);
      byId.delete(row.id);
      const next = patchContinued(update ? patchRow(row, update) : row, continued);
      const stays = next === row || matches(next, filter) !== false;
      if (stays) items.push(next);
      pageChanged ||= next !== row;
    }
    changed ||= pageChanged;
    return pageChanged ? { ...page, items } : page;
  });
  const last = patched.at(-1);
  const isComplete = last?.next === undefined;
  const bound = patched.findLast((page) => oldestOf(page));
  const oldest = bound && oldestOf(bound);
  const added: Row[] = [];
  for (const update of byId.values()) {
    const { output: _, ...fields } = update;
    const row: Row = patchContinued(fields, continued);
    const belongs = matches(row, filter);
    if (belongs === undefined) isStale = true;
    if (!belongs) continue;
    if (isComplete || (oldest && byNewest(row, oldest) <= 0)) added.push(row);
    // All the rows of the last page have left it: nothing tells what lies beyond it.
    else if (bound !== last) isStale = true;
  }
  if (added.length > 0 && insert(patched, added)) changed = true;
  if (patched.length === 1 && patched[0]) patched[0] = cut(patched[0]);
  // What follows may be all that there is by now.
  if (changed && !isComplete && patched.reduce((sum, page) => sum + countOf(page), 0) < LITTLE) isStale = true;
  return { data: changed ? patched : (pages as Page[]), isStale };
}

/**
 * A list whose beginning was read again. What lies below the beginning stays as it was. When nothing joins the two, or the beginning
 * reaches beyond the page that it is the beginning of, too much has changed, and the list begins anew.
 */
export function withHead(pages: readonly Page[], head: Page): Page[] {
  const [first, ...rest] = pages;
  const end = head.items.at(-1);
  const oldest = first && oldestOf(first);
  if (!first || !head.next || !end || !oldest) return [head];
  const isJoined = first.items.some((row) => byNewest(row, end) <= 0);
  if (!isJoined || (rest.length > 0 && byNewest(end, oldest) > 0)) return [head];
  const older = first.items.filter((row) => byNewest(row, end) > 0);
  const next = older.length > 0 || rest.length > 0 ? first.next : head.next;
  const last = older.length > 0 || rest.length > 0 ? first.end : head.end;
  return [{ ...first, items: [...head.items, ...older], next, end: last }, ...rest];
}

/** Where a list goes on whose end was cut off: the place has no cursor, so that it is read again from its beginning. */
export const AGAIN = "again";
/** The beginning of a list grows by what comes in. As long as nobody reads on, that is up to this; then its older half goes. */
export const LONGEST_HEAD = 1_000;

/**
 * A list whose beginning has grown too long, when nobody looks at more than its first `seen` rows: all but those go, and what follows is
 * read again when somebody comes to it.
 */
export function shortened(pages: readonly Page[], seen: number): readonly Page[] {
  const [first, ...rest] = pages;
  return first && rest.length > 0 && first.items.length > LONGEST_HEAD && seen <= LONGEST_HEAD / 2
    ? [cut(first)]
    : pages;
}

function cut(page: Page): Page {
  return page.items.length > LONGEST_HEAD
    ? { ...page, items: page.items.slice(0, LONGEST_HEAD / 2), next: AGAIN, end: undefined }
    : page;
}

/** Rows are let go when more than this are there. */
export const MAX_HELD = 4_000;
/** On each side of what is looked at this many pages stay. */
const KEPT_AROUND = 2;

/** A list of which only the pages around `from` to `to` are kept, and the first, when there is too much of it. */
export function released(pages: readonly Page[], from: number, to: number): readonly Page[] {
  const held = pages.reduce((sum, page) => sum + page.items.length, 0);
  if (held <= MAX_HELD) return pages;
  const kept = pages.map((page, index) =>
    index === 0 || (index >= from - KEPT_AROUND && index <= to + KEPT_AROUND) ? page : letGo(page),
  );
  // The same list when nothing is to be let go any more, though the beginning alone is too much.
  return kept.some((page, index) => page !== pages[index]) ? kept : pages;
}

/** A list of which only the first page is known for sure. */
export function distrusted(pages: readonly Page[]): Page[] {
  return pages.map((page, index) => (index === 0 ? page : letGo(page)));
}

function letGo(page: Page): Page {
  const oldest = page.items.length > 0 ? oldestOf(page) : undefined;
  if (!oldest) return page;
  const { id, created_at } = oldest;
  return { ...page, items: [], released: { count: page.items.length, oldest: { id, created_at } } };
}

/** Rows by their place in the list. Pages come and go, and finding one takes no longer with many of them. */
export class Rows {
  #pages: readonly Page[];
  /** The place of the first row of each page, and after the last one the number of all. */
  #begins: number[] = [0];

  constructor(pages: readonly Page[]) {
    this.#pages = pages;
    for (const page of pages) this.#begins.push((this.#begins.at(-1) ?? 0) + countOf(page));
  }

  get count(): number {
    return this.#begins.at(-1) ?? 0;
  }

  /** The row at a place; nothing when its page was let go. */
  at(place: number): Row | undefined {
    const page = this.pageAt(place);
    return this.#pages[page]?.items[place - (this.#begins[page] ?? 0)];
  }

  /** The number of the page that a place belongs to. */
  pageAt(place: number): number {
    let [low, high] = [0, this.#pages.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#begins[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The place of a row that is there, -1 otherwise. */
  placeOf(id: string | undefined): number {
    if (id === undefined) return -1;
    for (const [index, page] of this.#pages.entries()) {
      const within = page.items.findIndex((row) => row.id === id);
      if (within >= 0) return (this.#begins[index] ?? 0) + within;
    }
    return -1;
  }

  /** How many are there. */
  get held(): number {
    return this.#pages.reduce((sum, page) => sum + page.items.length, 0);
  }

  /** Those that are there. */
  *[Symbol.iterator](): Generator<Row> {
    for (const page of this.#pages) yield* page.items;
  }
}
