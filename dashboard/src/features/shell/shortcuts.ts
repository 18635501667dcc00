// Keys that work on every page. Keys of one page are handled there, with `isTyping` as well.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useRef } from "react";
import { places } from "./navigation";

/** Whether a key belongs to a field or to something that floats above the page. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : undefined;
  if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return true;
  return (
    target?.closest(
      "input, textarea, select, [contenteditable=true], [role=dialog], [role=alertdialog], [role=menu]",
    ) != null
  );
}

/** Which of the two keys that open the palette is named: the one that the keyboard has. */
export const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");
export const paletteKeys: readonly string[] = [isApple ? "⌘" : "Ctrl", "K"];

const SEQUENCE_MS = 1_200;

export function useShortcuts({ onPalette, onShortcuts }: { onPalette: () => void; onShortcuts: () => void }): void {
  const navigate = useNavigate();
  const goAt = useRef(0);
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      onPalette();
      return;
    }
    if (isTyping(event)) return;
    const place = Date.now() - goAt.current < SEQUENCE_MS && places.find(({ key }) => key === event.key);
    goAt.current = event.key === "g" ? Date.now() : 0;
    if (place) void navigate({ to: place.to });
    else if (event.key === "?") onShortcuts();
    else if (event.key === "/") {
      const field = document.querySelector<HTMLInputElement>("main input[type=search]");
      if (!field) return;
      event.preventDefault();
      field.focus();
    }
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
