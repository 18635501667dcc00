// A list as one looks at it: further pages are read when one comes near the end, pages far away are let go, and read again when one
// comes back to them.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { executionList, readAgain, readFurther } from "@/api/executionLists";
import { type ExecutionPages, executionKeys, type Filter } from "@/api/executions";
import { Rows, released, shortened } from "@/live/pages";

/** Rows are read that are no further than this from the visible ones, so that they are there when one comes to them. */
const READ_AHEAD = 300;

/** The beginning is read again at most this often. */
const READ_AGAIN_MS = 1_000;

export interface ExecutionRows {
  rows: Rows | undefined;
  /** Why nothing could be read at all. */
  error: Error | null;
  /** Why it did not go on. */
  furtherError: Error | undefined;
  hasMore: boolean;
  retry(): void;
  /** Reads the beginning of the list again, soon and not too often. */
  readHead(): void;
  /** To be told which places of the list are seen. */
  look(from: number, to: number): void;
}

export function useExecutionRows(filter: Filter): ExecutionRows {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(executionList(filter));
  const rows = useMemo(() => data && new Rows(data.pages), [data]);
  const pages = data?.pages;
  const hasMore = pages?.at(-1)?.next !== undefined;
  // What belongs to another filter neither keeps this one from reading nor is told here.
  const reading = useMemo(() => ({ filter, pages: new Set<number>() }), [filter]);
  const [failed, setFailed] = useState<{ filter: Filter; error: Error }>();
  const furtherError = failed?.filter === filter ? failed.error : undefined;

  /** Reads a page, unless that is being done already. */
  const read = useCallback(
    (page: number, act: () => Promise<void>) => {
      const { filter, pages } = reading;
      if (pages.has(page)) return;
      pages.add(page);
      act()
        .then(
          () => setFailed((now) => (now?.filter === filter ? undefined : now)),
          (error: Error) => setFailed({ filter, error }),
        )
        .finally(() => pages.delete(page));
    },
    [reading],
  );

  const look = useCallback(
    (from: number, to: number) => {
      if (!rows || !pages || furtherError) return;
      const [first, last] = [rows.pageAt(from - READ_AHEAD), rows.pageAt(to + READ_AHEAD)];
      for (let index = first; index <= last; index += 1)
        if (pages[index]?.released) read(index, () => readAgain(queries, filter, index));
      if (hasMore && to >= rows.count - READ_AHEAD) read(pages.length, () => readFurther(queries, filter));
      const kept = released(shortened(pages, to + READ_AHEAD), first, last);
      if (kept !== pages) queries.setQueryData<ExecutionPages>(executionKeys.list(filter), { pages: kept });
    },
    [queries, filter, rows, pages, hasMore, furtherError, read],
  );
  // Whoever comes back begins at the top.
  useEffect(() => {
    const key = executionKeys.list(filter);
    return () => {
      queries.setQueryData<ExecutionPages>(key, (now) => now && { pages: now.pages.slice(0, 1) });
    };
  }, [queries, filter]);
  const retry = useCallback(() => {
    setFailed(undefined);
    void refetch();
  }, [refetch]);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const readHead = useCallback(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void refetch({ cancelRefetch: false });
    }, READ_AGAIN_MS);
  }, [refetch]);
  return { rows, error: data ? null : error, furtherError, hasMore, retry, look, readHead };
}
