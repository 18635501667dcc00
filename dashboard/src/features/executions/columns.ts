// Which columns a person wants to see: those that the address says, or else those that are kept in the browser.
import { useSearch } from "@tanstack/react-router";
import { useSyncExternalStore } from "react";

export const columns = ["version", "owner", "progress", "duration", "priority", "labels", "created"] as const;
export type Column = (typeof columns)[number];

const STORED = "callboard.columns";
const USUAL: readonly Column[] = ["progress", "duration", "created"];
/** What an address says when none is wanted: an empty word would be left out. */
const NONE = "none";
const listeners = new Set<() => void>();
let cached: readonly Column[] | undefined;

function read(): readonly Column[] {
  if (cached) return cached;
  const stored = localStorage.getItem(STORED);
  cached = stored === null ? USUAL : columns.filter((column) => stored.split(",").includes(column));
  return cached;
}

/** Columns as an address says them. */
export function columnsText(shown: readonly Column[]): string {
  return shown.length > 0 ? columns.filter((column) => shown.includes(column)).join(",") : NONE;
}

/** Those that an address says; `undefined` when it says nothing that is understood. */
export function parseColumns(text: string | undefined): readonly Column[] | undefined {
  if (text === undefined) return undefined;
  if (text === NONE) return [];
  const known = columns.filter((column) => text.split(",").includes(column));
  return known.length > 0 ? known : undefined;
}

/** With one more, or one less. */
export function toggled(shown: readonly Column[], column: Column): Column[] {
  return columns.filter((one) => (one === column) !== shown.includes(one));
}

export function keepColumns(shown: readonly Column[]): void {
  localStorage.setItem(STORED, shown.join(","));
  cached = shown;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The columns to show. */
export function useColumns(): readonly Column[] {
  const { columns: said } = useSearch({ strict: false });
  const own = useSyncExternalStore(subscribe, read);
  return parseColumns(said) ?? own;
}
