// Times that go on by themselves: one clock for the whole page.
import { useSyncExternalStore } from "react";
import { serviceNow } from "@/api/clock";
import { useFormats } from "@/i18n/language";

let now = serviceNow();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = serviceNow();
    for (const tell of listeners) tell();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function current(): number {
  // Nobody has kept it going: what is first shown is right all the same.
  if (timer === undefined && Math.abs(serviceNow() - now) >= 1_000) now = serviceNow();
  return now;
}

/** The present, in whole seconds or better. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current);
}

/** The beginning of the reader's day; changes when the day does. */
export function useMidnight(): number {
  return useSyncExternalStore(subscribe, () => new Date(current()).setHours(0, 0, 0, 0));
}

export function Ago({ at }: { at: string }) {
  const formats = useFormats();
  return (
    <time dateTime={at} title={formats.moment(at)} className="tabular whitespace-nowrap">
      {formats.ago(at, useNow())}
    </time>
  );
}

/** How long something took, or takes until now. */
export function Elapsed({ from, to }: { from: string; to?: string | null }) {
  return (
    <span className="tabular whitespace-nowrap">
      {to ? <Span ms={Date.parse(to) - Date.parse(from)} /> : <Running from={from} />}
    </span>
  );
}

function Running({ from }: { from: string }) {
  return <Span ms={Math.max(0, useNow() - Date.parse(from))} isWhole />;
}

function Span({ ms, isWhole }: { ms: number; isWhole?: boolean }) {
  // A clock that ticks once a second shows no tenths.
  return <>{useFormats().duration(isWhole && ms > 1_000 ? Math.floor(ms / 1_000) * 1_000 : ms)}</>;
}
