// Whoever closes a dialog is where they were before. Dialogs are opened by state, so that they do not know what has opened them.
import { useRef } from "react";

let latest: HTMLElement | undefined;

/** The items of a menu are gone when the dialog that one of them has opened is closed; what has opened the menu is there. */
function lasting(element: HTMLElement): HTMLElement {
  const trigger = element.closest("[role=menu]")?.getAttribute("aria-labelledby");
  return (trigger && document.getElementById(trigger)) || element;
}

globalThis.document?.addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement) latest = lasting(target);
});

/** For the content of a dialog. When what had the focus is gone, it goes to the page itself. */
export function useFocusReturn() {
  const origin = useRef<HTMLElement>(undefined);
  return {
    onOpenAutoFocus() {
      origin.current = latest;
    },
    onCloseAutoFocus(event: Event) {
      event.preventDefault();
      const place = origin.current?.checkVisibility() ? origin.current : document.getElementById("content");
      place?.focus({ preventScroll: true });
    },
  };
}
