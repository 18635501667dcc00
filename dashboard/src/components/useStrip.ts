import { useEffect, useRef } from "react";

/**
 * On narrow screens a strip of tabs is wider than its place. The current one is scrolled to, and each side on which there is more
 * fades out (`.strip` in the style sheet). `current` is what the current tab is called.
 */
export function useStrip<E extends HTMLElement = HTMLElement>(current: string | undefined) {
  const strip = useRef<E>(null);
  useEffect(() => {
    const element = strip.current;
    if (!element || current === undefined) return;
    const mark = () => {
      const left = element.scrollWidth - element.clientWidth - element.scrollLeft;
      element.toggleAttribute("data-more-before", element.scrollLeft > 1);
      element.toggleAttribute("data-more-after", left > 1);
    };
    const show = () => {
      const place = element.getBoundingClientRect();
      const tab = element.querySelector("[data-status=active], [data-state=active]")?.getBoundingClientRect();
      // Sideways only: the page itself stays where it is.
      if (tab) element.scrollLeft += tab.left + tab.width / 2 - (place.left + place.width / 2);
      mark();
    };
    // It is told once in the beginning, too.
    const resizing = new ResizeObserver(show);
    resizing.observe(element);
    show();
    element.addEventListener("scroll", mark, { passive: true });
    return () => {
      resizing.disconnect();
      element.removeEventListener("scroll", mark);
    };
  }, [current]);
  return strip;
}
