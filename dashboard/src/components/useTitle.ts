import { useEffect } from "react";

const PRODUCT = "Callboard";

/** What the tab of the browser is called, as long as this is shown. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    if (!title) return;
    document.title = `${title} · ${PRODUCT}`;
    return () => {
      document.title = PRODUCT;
    };
  }, [title]);
}
