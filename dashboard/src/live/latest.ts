// The newest update of the executions that have changed lately. An answer that was on its way while frames arrived is older
// than those frames; everything that is read passes through here, so that it never replaces something newer.
import type { Filter, Page, Row } from "@/api/executions";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { patchPages } from "./pages";
import { continuations, type DetailFields, patchActive, patchContinued, patchDetail } from "./patch";

/** Far more than change during one request. */
const MAX_KEPT = 2_000;
/** No request takes longer. What is older adds nothing to an answer, and may have been deleted meanwhile. */
const KEPT_MS = 60_000;

interface Noted {
  update: ExecutionUpdate;
  at: number;
}

export class Latest {
  /** The oldest first. */
  #noted = new Map<string, Noted>();

  note(update: ExecutionUpdate): void {
    this.#noted.delete(update.id);
    this.#noted.set(update.id, { update, at: performance.now() });
    this.#forgetOld();
  }

  clear(): void {
    this.#noted.clear();
  }

  /** The newest update of an execution that has changed lately. */
  of(id: string): ExecutionUpdate | undefined {
    this.#forgetOld();
    return this.#noted.get(id)?.update;
  }

  #updates(): ExecutionUpdate[] {
    this.#forgetOld();
    return Array.from(this.#noted.values(), ({ update }) => update);
  }

  #forgetOld(): void {
    const since = performance.now() - KEPT_MS;
    for (const [id, { at }] of this.#noted) {
      if (at >= since && this.#noted.size <= MAX_KEPT) return;
      this.#noted.delete(id);
    }
  }

  /** Only the first page of a list can miss executions that are new. */
  page(page: Page, filter: Filter, isFirst: boolean): Page {
    const known = new Set(page.items.map((row) => row.id));
    const updates = this.#updates().filter(
      ({ id, continues }) => isFirst || known.has(id) || (continues && known.has(continues)),
    );
    return patchPages([page], filter, updates).data[0] ?? page;
  }

  active(rows: Row[]): Row[] {
    return patchActive(rows, this.#updates());
  }

  detail<T extends DetailFields>(read: T): T {
    const detail = patchContinued(read, continuations(this.#updates()));
    const update = this.of(detail.id);
    return update ? patchDetail(detail, update).data : detail;
  }
}

export const freshest = new Latest();
