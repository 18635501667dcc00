import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { use, useEffect } from "react";
import { executionKeys, live, readEvents, readLogs } from "@/api/executions";
import type { EventView, LogView } from "@/api/generated/schema";
import { LiveContext, type LiveState } from "./context";
import type { Streamed } from "./patch";

export function useLive(): LiveState {
  const state = use(LiveContext);
  if (!state) throw new Error("useLive needs a LiveProvider");
  return state;
}

/** What is read only adds to what is there, so that a long journal is not read from its beginning again. */
function continued<T>(known: readonly T[] | undefined, fresh: readonly T[], number: (item: T) => number): T[] {
  if (!known?.length) return [...fresh];
  const byNumber = new Map(known.map((item) => [number(item), item]));
  for (const item of fresh) byNumber.set(number(item), item);
  return [...byNumber.values()].sort((a, b) => number(a) - number(b));
}

/** The number after which something is missing. */
function completeUpTo<T>(items: readonly T[] | undefined, number: (item: T) => number): number {
  let complete = 0;
  for (const item of items ?? []) {
    if (number(item) !== complete + 1) break;
    complete = number(item);
  }
  return complete;
}

const NOTHING: Record<string, Streamed> = {};

function streamedOutput(id: string) {
  const queryKey = executionKeys.output(id);
  return {
    queryKey,
    // Only frames bring it: whoever has lists read again does not make it forgotten.
    queryFn: ({ client }: { client: QueryClient }) =>
      client.getQueryData<Record<string, Streamed>>(queryKey) ?? NOTHING,
    initialData: NOTHING,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  };
}

const seq = (event: EventView) => event.seq;
const lineNumber = (line: LogView) => line.n;

/** The whole journal of an execution, growing as it goes on. */
export function useEvents(id: string) {
  const queries = useQueryClient();
  const { socket } = useLive();
  const key = executionKeys.events(id);
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const after = completeUpTo(queries.getQueryData<EventView[]>(key), seq);
      const fresh = await readEvents(id, after, signal);
      return continued(queries.getQueryData<EventView[]>(key), fresh, seq);
    },
    meta: live,
    structuralSharing: false,
  });
  // What the feed says is kept also while nobody looks at it: it is not said again. Nothing here is drawn because of it.
  useQuery({ ...streamedOutput(id), notifyOnChangeProps: [] });
  const isRead = query.isSuccess;
  useEffect(() => {
    if (!isRead) return;
    const known = queries.getQueryData<EventView[]>(executionKeys.events(id));
    return socket.watch(id, known?.at(-1)?.seq ?? 0);
  }, [id, isRead, queries, socket]);
  return query;
}

/** The log of an execution; live as long as {@link useEvents} is in use for it. */
export function useLogs(id: string) {
  const queries = useQueryClient();
  const key = executionKeys.logs(id);
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      // Read from the first gap on: a line that is missing there was dropped by the feed, not by the service.
      const known = queries.getQueryData<LogView[]>(key);
      const fresh = await readLogs(id, completeUpTo(known, lineNumber), signal);
      return continued(queries.getQueryData<LogView[]>(key), fresh, lineNumber);
    },
    meta: live,
    structuralSharing: false,
  });
}

/** What the tasks of an execution are answering just now. Only the feed has it; who comes late gets all so far at once. */
export function useStreamedOutput(id: string): Record<string, Streamed> {
  return useQuery(streamedOutput(id)).data;
}
