// How a page feels: the gaps between its frames, its longest tasks, and how long a press of a key takes to be seen.
import type { Page } from "playwright-core";

export interface Smoothness {
  /** Milliseconds between one frame and the next, in their order. */
  gaps: number[];
  /** Milliseconds of the tasks that took more than 50. */
  longTasks: number[];
  /** Milliseconds from an input to the frame that shows what came of it; those above 16. */
  interactions: { name: string; ms: number }[];
  /** Messages that came in by WebSocket, in each second. */
  messages: number[];
}

interface Recording extends Smoothness {
  since: number;
}

declare global {
  interface Window {
    recording?: Recording;
  }
}

/** Counts messages from the page's first socket on, so it comes before the page is opened. */
export async function countMessages(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const Plain = window.WebSocket;
    window.WebSocket = class extends Plain {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        this.addEventListener("message", () => {
          if (!window.recording) return;
          const { messages, since } = window.recording;
          const second = Math.floor((performance.now() - since) / 1_000);
          messages[second] = (messages[second] ?? 0) + 1;
        });
      }
    };
  });
}

export function record(page: Page): Promise<void> {
  return page.evaluate(() => {
    const recording: Recording = { gaps: [], longTasks: [], interactions: [], messages: [], since: performance.now() };
    window.recording = recording;
    let last = performance.now();
    const frame = (at: number) => {
      if (window.recording !== recording) return;
      recording.gaps.push(at - last);
      last = at;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((at) => {
      last = at;
      requestAnimationFrame(frame);
    });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) recording.longTasks.push(duration);
    }).observe({ type: "longtask" });
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) recording.interactions.push({ name, ms: duration });
    }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
  });
}

export function recorded(page: Page): Promise<Smoothness> {
  return page.evaluate(() => {
    const recording = window.recording;
    if (!recording) throw new Error("nothing has been recorded");
    window.recording = undefined;
    return { ...recording, messages: Array.from(recording.messages, (count) => count ?? 0) };
  });
}

/** Starts a clock of the processor time that the page's main thread takes: seconds that do not depend on what else runs. */
export async function processorClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const now = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const began = await now();
  return async () => (await now()) - began;
}

/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
