// Saved views: filters under a name; kept in the browser.
import { useSyncExternalStore } from "react";
import { type ListSearch, parseListSearch } from "./search";

export interface View {
  name: string;
  search: ListSearch;
}

const STORED = "callboard.views";
const listeners = new Set<() => void>();
let cached: readonly View[] | undefined;

/** What is stored may come from another version; what is not understood is left out. */
export function parseViews(text: string | null): View[] {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null || !("name" in one) || !("search" in one)) return [];
    if (typeof one.name !== "string" || typeof one.search !== "object" || one.search === null) return [];
    return [{ name: one.name, search: parseListSearch(one.search as Record<string, unknown>) }];
  });
}

function read(): readonly View[] {
  cached ??= parseViews(localStorage.getItem(STORED));
  return cached;
}

function write(views: readonly View[]): void {
  localStorage.setItem(STORED, JSON.stringify(views));
  cached = views;
  for (const listener of listeners) listener();
}

export function saveView(view: View): void {
  write([...read().filter((one) => one.name !== view.name), view]);
}

export function removeView(name: string): void {
  write(read().filter((one) => one.name !== name));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useViews(): readonly View[] {
  return useSyncExternalStore(subscribe, read);
}
