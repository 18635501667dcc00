import { useMemo, useRef } from "react";
import type { EventView } from "@/api/generated/schema";
import { useEvents } from "@/live/useLive";
import { type Timeline, TimelineBuilder } from "./timeline";

const NO_EVENTS: EventView[] = [];

/** The journal of an execution and what it says, growing while it runs. One component per execution calls this. */
export function useTimeline(id: string): {
  events: EventView[] | undefined;
  timeline: Timeline;
  error: Error | null;
  retry: () => void;
} {
  const { data, error, refetch } = useEvents(id);
  const builder = useRef<TimelineBuilder>(undefined);
  const timeline = useMemo(() => {
    builder.current ??= new TimelineBuilder();
    return builder.current.add(data ?? NO_EVENTS);
  }, [data]);
  return { events: data, timeline, error: data ? null : error, retry: () => void refetch() };
}
