// Lists of executions: how they are read, one page after the other, and read again.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { freshest } from "@/live/latest";
import { AGAIN, withHead } from "@/live/pages";
import { byNewest } from "@/live/patch";
import { client, must } from "./client";
import { type ExecutionPages, executionKeys, type Filter, live, type Page, type Row, toRow } from "./executions";

/** A filter as the service names it. */
function queryOf(filter: Filter) {
  const { type, agent, parent, label, after, before, ...same } = filter;
  return {
    ...same,
    execution_type: type,
    agent_id: agent,
    parent_execution_id: parent,
    created_after: after,
    created_before: before,
    // Serialized as `label.name=value`.
    ...(label ? { label } : {}),
  };
}

/** What is seen at first. */
export const FIRST_PAGE = 50;
/** Who reads on reads more and more at once, up to this. */
const LONGEST_PAGE = 500;
/** The service gives no more than this at once. */
const ROWS_PER_READ = 100;

/** Reads from `cursor` on until it is enough. */
async function readPage(
  filter: Filter,
  cursor: string | undefined,
  isEnough: (items: readonly Row[]) => boolean,
  limit: number,
  signal?: AbortSignal,
): Promise<Page> {
  const asked = freshest.now();
  const items: Row[] = [];
  let next: string | undefined = cursor;
  do {
    const query = { ...queryOf(filter), limit, cursor: next };
    const answer = await must(client.GET("/api/v1/executions", { params: { query }, signal }));
    for (const item of answer.items) items.push(toRow(item));
    next = ("next_cursor" in answer && answer.next_cursor) || undefined;
  } while (next && !isEnough(items));
  const last = items.at(-1);
  const end = last && { id: last.id, created_at: last.created_at };
  return freshest.page({ cursor, items, next, end }, filter, asked);
}

function readRows(filter: Filter, cursor: string | undefined, count: number, signal?: AbortSignal): Promise<Page> {
  return readPage(filter, cursor, (items) => items.length >= count, Math.min(count, ROWS_PER_READ), signal);
}

/** Every execution that a filter lets through, newest first, read as it is asked for. */
export async function* matchingIds(filter: Filter, signal: AbortSignal): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await readRows(filter, cursor, ROWS_PER_READ, signal);
    for (const row of page.items) yield row.id;
    cursor = page.next;
  } while (cursor);
}

/** How many executions a filter lets through. */
export function executionCount(filter: Filter) {
  return queryOptions({
    queryKey: executionKeys.count(filter),
    queryFn: async ({ signal }) => {
      const query = { ...queryOf(filter), page: 1, size: 1 };
      const answer = await must(client.GET("/api/v1/executions", { params: { query }, signal }));
      // The service stops counting where nobody counts on.
      return "total" in answer
        ? { total: answer.total, isExact: answer.total_is_exact !== false }
        : { total: 0, isExact: true };
    },
    staleTime: 0,
    meta: live,
  });
}

/**
 * A list, of which a reading reads the beginning only: what was read before of the rest stays, and further pages come by
 * {@link readFurther}.
 */
export function executionList(filter: Filter) {
  const queryKey = executionKeys.list(filter);
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client: queries }): Promise<ExecutionPages> => {
      const head = await readRows(filter, undefined, FIRST_PAGE, signal);
      const known = queries.getQueryData<ExecutionPages>(queryKey);
      return { pages: withHead(known?.pages ?? [], head) };
    },
    // Rows that stay are the same objects already; comparing thousands of them takes longer than drawing what is seen.
    structuralSharing: false,
    meta: live,
  });
}

/** Reads the page after the last one. Frames that come in meanwhile are kept: only the new page is put in. */
export async function readFurther(queries: QueryClient, filter: Filter): Promise<void> {
  const key = executionKeys.list(filter);
  const pages = queries.getQueryData<ExecutionPages>(key)?.pages ?? [];
  const last = pages.at(-1);
  if (!last?.next) return;
  if (last.next === AGAIN) {
    const page = await readRows(filter, undefined, last.items.length + LONGEST_PAGE);
    // Meanwhile the list may have become another one, of another tenant even.
    queries.setQueryData<ExecutionPages>(key, (now) => (now?.pages.at(-1)?.next === AGAIN ? { pages: [page] } : now));
    return;
  }
  const page = await readRows(filter, last.next, Math.min(LONGEST_PAGE, FIRST_PAGE * 2 ** pages.length));
  queries.setQueryData<ExecutionPages>(key, (now) =>
    now && now.pages.at(-1)?.next === page.cursor ? { pages: [...now.pages, page] } : now,
  );
}

/** Reads a page again whose rows were let go. */
export async function readAgain(queries: QueryClient, filter: Filter, index: number): Promise<void> {
  const key = executionKeys.list(filter);
  const page = queries.getQueryData<ExecutionPages>(key)?.pages[index];
  if (!page?.released) return;
  const { oldest } = page.released;
  const read = await readPage(
    filter,
    page.cursor,
    (rows) => rows.some((row) => byNewest(row, oldest) >= 0),
    ROWS_PER_READ,
  );
  // The next page begins below the oldest row.
  const items = read.items.filter((row) => byNewest(row, oldest) <= 0);
  queries.setQueryData<ExecutionPages>(key, (now) => {
    if (!now?.pages[index]?.released || now.pages[index].cursor !== page.cursor) return now;
    return {
      pages: now.pages.map((one, at) =>
        at === index ? { cursor: one.cursor, next: one.next, end: oldest, items } : one,
      ),
    };
  });
}
