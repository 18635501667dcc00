// Views that this browser had saved before the service kept them. They can be opened and taken over; none are added.
import { useSyncExternalStore } from "react";
import { type ListSearch, parseListSearch } from "./search";

export interface LocalView {
  name: string;
  search: ListSearch;
}

const STORED = "callboard.views";
/** Whether somebody has been asked whether to take them over. They stay in the menu. */
const POSTPONED = "callboard.views.later";
const listeners = new Set<() => void>();
let cached: readonly LocalView[] | undefined;

/** What is stored may come from another version; what is not understood is left out. */
export function parseViews(text: string | null): LocalView[] {
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

function read(): readonly LocalView[] {
  cached ??= parseViews(localStorage.getItem(STORED));
  return cached;
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Forgets a view that the service has now. */
export function forgetLocalView(name: string): void {
  // Another tab may have taken some over meanwhile.
  const left = parseViews(localStorage.getItem(STORED)).filter((one) => one.name !== name);
  if (left.length > 0) localStorage.setItem(STORED, JSON.stringify(left));
  else localStorage.removeItem(STORED);
  cached = left;
  tell();
}

/** Another tab has changed what is stored. */
function listen(event: StorageEvent): void {
  if (event.key !== STORED && event.key !== POSTPONED) return;
  cached = undefined;
  tell();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("storage", listen);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("storage", listen);
  };
}

export function useLocalViews(): readonly LocalView[] {
  return useSyncExternalStore(subscribe, read);
}

export function postponeTakingOver(): void {
  localStorage.setItem(POSTPONED, "1");
  tell();
}

export function useIsPostponed(): boolean {
  return useSyncExternalStore(subscribe, () => localStorage.getItem(POSTPONED) !== null);
}
