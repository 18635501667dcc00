import { useEffect, useRef } from "react";

/** On narrow screens a strip of tabs is wider than its place: the current one is scrolled to. `current` is what it is called. */
export function useCurrentInView<E extends HTMLElement = HTMLElement>(current: string | undefined) {
  const strip = useRef<E>(null);
  useEffect(() => {
    if (current === undefined) return;
    const place = strip.current?.getBoundingClientRect();
    const tab = strip.current?.querySelector("[data-status=active], [data-state=active]")?.getBoundingClientRect();
    if (!strip.current || !place || !tab) return;
    // Sideways only: the page itself stays where it is.
    strip.current.scrollLeft += tab.left + tab.width / 2 - (place.left + place.width / 2);
  }, [current]);
  return strip;
}
