// Which columns a person wants to see; kept in the browser.
import { useSyncExternalStore } from "react";

export const columns = ["version", "owner", "progress", "duration", "priority", "labels", "created"] as const;
export type Column = (typeof columns)[number];

const STORED = "callboard.columns";
const USUAL: readonly Column[] = ["progress", "duration", "created"];
const listeners = new Set<() => void>();
let cached: readonly Column[] | undefined;

function read(): readonly Column[] {
  if (cached) return cached;
  const stored = localStorage.getItem(STORED);
  cached = stored === null ? USUAL : columns.filter((column) => stored.split(",").includes(column));
  return cached;
}

export function toggleColumn(column: Column): void {
  const shown = read();
  const next = columns.filter((one) => (one === column) !== shown.includes(one));
  localStorage.setItem(STORED, next.join(","));
  cached = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useColumns(): readonly Column[] {
  return useSyncExternalStore(subscribe, read);
}
