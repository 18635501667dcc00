// The newest update of the executions that have changed lately. An answer that was on its way while frames arrived is older
// than those frames; everything that is read passes through here, so that it never replaces something newer. What had arrived
// before it was asked for is in the answer already, or has been overtaken while no frames came.
import type { Filter, Page, Row } from "@/api/executions";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { patchPages } from "./pages";
import { continuations, type DetailFields, patchActive, patchContinued, patchDetail } from "./patch";

/** Far more than change during one request. */
const MAX_KEPT = 2_000;
/** No request takes longer. */
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

  /** What has come in since something was asked for. */
  #since(asked: number): ExecutionUpdate[] {
    this.#forgetOld();
    return [...this.#noted.values()].filter(({ at }) => at >= asked).map(({ update }) => update);
  }

  #forgetOld(): void {
    const since = performance.now() - KEPT_MS;
    for (const [id, { at }] of this.#noted) {
      if (at >= since && this.#noted.size <= MAX_KEPT) return;
      this.#noted.delete(id);
    }
  }

  /** The moment in which something is asked for; it is handed back with the answer. */
  now(): number {
    return performance.now();
  }

  /** Only the first page of a list can miss executions that are new. */
  page(page: Page, filter: Filter, asked: number): Page {
    const known = new Set(page.items.map((row) => row.id));
    const updates = this.#since(asked).filter(
      ({ id, continues }) => page.cursor === undefined || known.has(id) || (continues && known.has(continues)),
    );
    return patchPages([page], filter, updates).data[0] ?? page;
  }

  active(rows: Row[], asked: number): Row[] {
    return patchActive(rows, this.#since(asked)).data;
  }

  detail<T extends DetailFields>(read: T): T {
    const detail = patchContinued(read, continuations(this.#since(0)));
    const update = this.of(detail.id);
    return update ? patchDetail(detail, update).data : detail;
  }
}

export const freshest = new Latest();
