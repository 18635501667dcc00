import { useSyncExternalStore } from "react";

/** Where the styles of `max-md` begin to count. */
const narrow = window.matchMedia("(width < 48rem)");

function subscribe(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** Whether the window is as narrow as a phone's: long lists leave out of their rows what could not be seen. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches);
}
