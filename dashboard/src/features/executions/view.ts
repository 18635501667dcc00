// Pure: between what the address of the list says and what a saved view keeps.
import type { SavedViewDetail } from "@/api/generated/schema";
import { type Column, columnsText } from "./columns";
import type { LocalView } from "./localViews";
import { type ListSearch, labelsOf, parseListSearch } from "./search";

export type ViewQuery = Record<string, string>;

/** What a view keeps of a page that looks like this. What has no effect is left out. */
export function queryOf(search: ListSearch, columns?: readonly Column[]): ViewQuery {
  const labels = Object.entries(labelsOf(search.label) ?? {}).map(([name, value]) => `${name}=${value}`);
  const given: Record<string, string | undefined> = {
    status: search.status,
    type: search.type,
    workflow: search.workflow?.match(/^[^/]+\/.+/s)?.[0],
    agent: search.agent,
    parent: search.parent,
    continued: search.continued,
    label: labels.join(",") || undefined,
    since: search.since,
    q: search.q?.trim() ? search.q : undefined,
    columns: columns ? columnsText(columns) : search.columns,
  };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The address of a page that looks as a view says. */
export function searchOf(view: Pick<SavedViewDetail, "id" | "query">): ListSearch {
  return { ...parseListSearch(view.query), view: view.id };
}

/** Whether a page looks otherwise than the view that it came from. */
export function differs(search: ListSearch, view: Pick<SavedViewDetail, "query">): boolean {
  return !isSame(queryOf(search), queryOf(parseListSearch(view.query)));
}

function isSame(a: ViewQuery, b: ViewQuery): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

export interface Sorted {
  mine: SavedViewDetail[];
  /** Of others, for everybody. */
  shared: SavedViewDetail[];
}

export function sorted(views: readonly SavedViewDetail[], ownerId: string | undefined): Sorted {
  return {
    mine: views.filter((view) => view.created_by === ownerId),
    shared: views.filter((view) => view.created_by !== ownerId),
  };
}

const MAX_NAME_CHARACTERS = 80;

/** The name, with a number behind it when there is one of this name already. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const wanted = name.trim();
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? "" : ` (${number})`;
    const candidate = `${[...wanted]
      .slice(0, MAX_NAME_CHARACTERS - end.length)
      .join("")
      .trim()}${end}`;
    if (!taken.has(candidate)) return candidate;
  }
}

export interface Transfer {
  local: LocalView;
  /** Missing when the person has the same view under the same name already. */
  create?: { name: string; query: ViewQuery };
}

/** What is to be done so that the service has everything that the browser has kept. */
export function transfers(locals: readonly LocalView[], mine: readonly SavedViewDetail[]): Transfer[] {
  const taken = new Set(mine.map((view) => view.name));
  return locals.map((local) => {
    const query = queryOf(local.search);
    const same = mine.find(
      (view) => view.name === local.name.trim() && isSame(queryOf(parseListSearch(view.query)), query),
    );
    if (same) return { local };
    const name = freeName(local.name, taken);
    taken.add(name);
    return { local, create: { name, query } };
  });
}
