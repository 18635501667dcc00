// Notices about executions that were started in this tab: pure bookkeeping here, how it looks is in the toasts.
import type { ExecutionUpdate, ServerFrame } from "@/api/generated/schema";
import { freshest } from "./latest";

export type Tell = (ended: ExecutionUpdate[]) => void;

/** More than this at once become one notice. */
export const MAX_NOTICES = 3;

const mine = new Set<string>();
let tell: Tell | undefined;

/** From now on the end of this execution is told. A short one may have ended before the answer that it has begun. */
export function expectEnd(id: string): void {
  const update = freshest.of(id);
  if (update?.finished_at != null) tell?.([update]);
  else mine.add(id);
}

/** No end is waited for any more. */
export function expectNothing(): void {
  mine.clear();
}

export function setTell(next: Tell | undefined): void {
  tell = next;
}

/** The executions among `frames` that have ended and whose end was waited for. */
function endsOf(frames: readonly ServerFrame[], expected: ReadonlySet<string>): ExecutionUpdate[] {
  const ended = new Map<string, ExecutionUpdate>();
  for (const frame of frames) {
    if (frame.type !== "execution_update" || frame.data.finished_at == null) continue;
    if (expected.has(frame.data.id)) ended.set(frame.data.id, frame.data);
  }
  return [...ended.values()];
}

export function tellEnds(frames: readonly ServerFrame[]): void {
  const ended = endsOf(frames, mine);
  for (const { id } of ended) mine.delete(id);
  if (ended.length > 0) tell?.(ended);
}
