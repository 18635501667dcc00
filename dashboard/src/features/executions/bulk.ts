// Doing the same to many executions: a few at a time, counted, and stopped when asked to.

export interface BulkProgress {
  done: number;
  failed: number;
  total: number;
}

/** How many requests are on their way at once. */
const AT_ONCE = 6;

export async function forEach(
  ids: readonly string[],
  act: (id: string) => Promise<unknown>,
  onProgress: (progress: BulkProgress) => void,
  signal: AbortSignal,
): Promise<BulkProgress> {
  const progress: BulkProgress = { done: 0, failed: 0, total: ids.length };
  const waiting = ids.values();
  const work = async () => {
    for (const id of waiting) {
      if (signal.aborted) return;
      await act(id).catch(() => {
        progress.failed += 1;
      });
      progress.done += 1;
      onProgress({ ...progress });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return progress;
}
