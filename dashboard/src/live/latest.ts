// The newest update of the executions that have changed lately. An answer that was on its way while frames arrived is older
// than those frames; everything that is read passes through here, so that it never replaces something newer.
import type { Filter, Page, Row } from "@/api/executions";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { patchPages } from "./pages";
import { patchActive, patchDetail } from "./patch";

/** Far more than change during one request. */
const MAX_KEPT = 2_000;

export class Latest {
  #updates = new Map<string, ExecutionUpdate>();

  note(update: ExecutionUpdate): void {
    this.#updates.delete(update.id);
    this.#updates.set(update.id, update);
    if (this.#updates.size <= MAX_KEPT) return;
    const oldest = this.#updates.keys().next();
    if (!oldest.done) this.#updates.delete(oldest.value);
  }

  clear(): void {
    this.#updates.clear();
  }

  /** Only the first page of a list can miss executions that are new. */
  page(page: Page, filter: Filter, isFirst: boolean): Page {
    const known = new Set(page.items.map((row) => row.id));
    const updates = [...this.#updates.values()].filter((update) => isFirst || known.has(update.id));
    return patchPages([page], filter, updates).data[0] ?? page;
  }

  active(rows: Row[]): Row[] {
    return patchActive(rows, [...this.#updates.values()]);
  }

  detail<T extends { id: string; last_seq: number; updated_at: string; output?: unknown }>(detail: T): T {
    const update = this.#updates.get(detail.id);
    return update ? patchDetail(detail, update).data : detail;
  }
}

export const freshest = new Latest();
