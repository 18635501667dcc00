import { useEffect, useRef } from "react";

/** On narrow screens a strip of tabs is wider than its place: the current one is scrolled to. `current` is what it is called. */
export function useCurrentInView<E extends HTMLElement = HTMLElement>(current: string | undefined) {
  const strip = useRef<E>(null);
  useEffect(() => {
    if (current === undefined) return;
    const tab = strip.current?.querySelector("[data-status=active], [data-state=active]");
    tab?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [current]);
  return strip;
}
