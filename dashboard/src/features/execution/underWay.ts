// Pure: what of an execution is under way just now.
import type { Instance, Timeline } from "./timeline";

/** What goes on outside although nothing new begins, when it is paused. */
export function outside(timeline: Timeline): Instance[] {
  return timeline.instances.filter(({ isOutside, to }) => isOutside && to === undefined);
}

/** The loop that was begun last of those that go on, and the round that it is in. */
export function openLoop(timeline: Timeline): { name: string; at: number; of: number } | undefined {
  const loop = timeline.instances.findLast(({ rounds, to }) => rounds !== undefined && to === undefined);
  return loop?.rounds && { name: loop.name, ...loop.rounds };
}
