// Light, dark, or as the system has it. `public/theme.js` does the same before the first paint.
import { useSyncExternalStore } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const STORED = "callboard.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function stored(): Theme {
  const value = localStorage.getItem(STORED);
  return themes.find((theme) => theme === value) ?? "system";
}

function show(): void {
  const theme = stored();
  document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "system" && system.matches));
  for (const listener of listeners) listener();
}

system.addEventListener("change", show);
// Chosen in another tab.
window.addEventListener("storage", ({ key }) => key === STORED && show());

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
  show();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, stored);
}

export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, () => document.documentElement.classList.contains("dark"));
}
