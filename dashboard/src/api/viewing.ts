// The tenant that an operator looks at, when it is not their own. It belongs to the tab: another tab may show another one.
import { useSyncExternalStore } from "react";

export interface Viewed {
  id: string;
  name: string;
}

const STORED = "callboard.tenant";
/** Who one is does not depend on what one looks at, and the service refuses the header there. */
const OWN = "/api/v1/auth/";

class Viewing {
  #tenant = parseViewed(globalThis.sessionStorage?.getItem(STORED) ?? null);
  #listeners = new Set<() => void>();

  get tenant(): Viewed | undefined {
    return this.#tenant;
  }

  choose(tenant: Viewed | undefined): void {
    this.#tenant = tenant;
    if (tenant) sessionStorage.setItem(STORED, JSON.stringify(tenant));
    else sessionStorage.removeItem(STORED);
    for (const tell of this.#listeners) tell();
  }

  /** Puts the tenant on a request to `path`, when it is another one. */
  sign(path: string, headers: Headers): void {
    if (this.#tenant && !path.startsWith(OWN)) headers.set("x-tenant-id", this.#tenant.id);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** What is stored may come from another version. */
function parseViewed(text: string | null): Viewed | undefined {
  if (!text) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Viewed>;
    return typeof value.id === "string" && typeof value.name === "string"
      ? { id: value.id, name: value.name }
      : undefined;
  } catch {
    return undefined;
  }
}

export const viewing = new Viewing();

export function useViewed(): Viewed | undefined {
  return useSyncExternalStore(viewing.subscribe, () => viewing.tenant);
}
