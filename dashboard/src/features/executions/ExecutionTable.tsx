// Thousands of rows, of which only the visible ones exist; new ones slide in, and what one reads stays where it is.

import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import { FIRST_PAGE } from "@/api/executionLists";
import type { Filter, Row } from "@/api/executions";
import { useStanding } from "@/api/me";
import { ProblemView, SkeletonRows } from "@/components/states";
import { useIsNarrow } from "@/components/useIsNarrow";
import { isTyping } from "@/features/shell/shortcuts";
import { useLanguage } from "@/i18n/language";
import type { Rows } from "@/live/pages";
import { byNewest } from "@/live/patch";
import { Bulk } from "./Bulk";
import { type Column, useColumns } from "./columns";
import { ExecutionRow, gridColumns, ROW_HEIGHT, SkeletonRow, startsLeft } from "./ExecutionRow";
import type { ExecutionRows } from "./useExecutionRows";

/** What no live update carries: rows that have just come in lack it until they are read. */
const ofReading: readonly Column[] = ["version", "owner", "priority", "labels"];

/** Where keys go that jump. */
const PAGE_ROWS = 10;

export function ExecutionTable({
  list: { rows, hasMore, look, furtherError, retry, readHead },
  filter,
}: {
  list: ExecutionRows & { rows: Rows };
  /** What let them through. */
  filter: Filter;
}) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const maySelect = may("execution_steer");
  const navigate = useNavigate();
  const columns = useColumns();
  const isNarrow = useIsNarrow();
  const scroller = useRef<HTMLDivElement>(null);
  const [currentId, setCurrentId] = useState<string>();
  // Where it is, or was when it left the list or was let go.
  const currentPlace = useRef(-1);
  const [selectedIds, setSelectedIds] = useState<ReadonlySet<string>>(new Set());
  // Also those that are not read yet.
  const [wantsAll, setWantsAll] = useState(false);
  // Until then nothing that was selected may be left in the list.
  const [isBusy, setBusy] = useState(false);
  const clear = () => {
    setSelectedIds(new Set());
    setWantsAll(false);
  };
  const lastSelected = useRef<string>(undefined);
  const isNew = useNewRows(rows);
  const virtual = useVirtualizer({
    count: rows.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  useStayingInPlace(rows, scroller);

  const items = virtual.getVirtualItems();
  const [firstShown, lastShown] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => look(firstShown, lastShown), [look, firstShown, lastShown]);

  useEffect(() => {
    const isPart = (place: number) => place < FIRST_PAGE && rows.at(place)?.priority === undefined;
    if (!columns.some((column) => ofReading.includes(column)) || !items.some(({ index }) => isPart(index))) return;
    readHead();
  }, [columns, items, rows, readHead]);

  const select = (id: string, isRange: boolean) => {
    const next = new Set(selectedIds);
    setWantsAll(false);
    const [from, to] = [rows.placeOf(lastSelected.current), rows.placeOf(id)];
    if (isRange && from >= 0) {
      for (let place = Math.min(from, to); place <= Math.max(from, to); place += 1) {
        const row = rows.at(place);
        if (row) next.add(row.id);
      }
    } else if (!next.delete(id)) next.add(id);
    lastSelected.current = id;
    setSelectedIds(next);
  };

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (isTyping(event)) return;
    const found = rows.placeOf(currentId);
    const place = found < 0 ? currentPlace.current : found;
    const go = (to: number) => {
      const next = Math.max(0, Math.min(rows.count - 1, to));
      currentPlace.current = next;
      setCurrentId(rows.at(next)?.id);
      virtual.scrollToIndex(next);
    };
    if (event.key === "j") go(place + 1);
    else if (event.key === "k") go(place < 0 ? 0 : place - 1);
    else if (event.key === "J") go(place + PAGE_ROWS);
    else if (event.key === "K") go(place < 0 ? 0 : place - PAGE_ROWS);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.count - 1);
    else if (event.key === "x" && currentId && maySelect) select(currentId, false);
    else if (event.key === "Escape") clear();
    else if (event.key === "Enter" && currentId && !isControl(event.target)) {
      void navigate({ to: "/executions/$id", params: { id: currentId } });
    } else return;
    event.preventDefault();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);

  // The same function for ever, so that rows that do not change are not drawn again while one scrolls.
  const latest = useRef(select);
  useEffect(() => {
    latest.current = select;
  });
  const onSelect = useCallback((id: string, isRange: boolean) => latest.current(id, isRange), []);

  const selected = useMemo(
    () => (selectedIds.size === 0 ? [] : [...rows].filter((row) => selectedIds.has(row.id))),
    [rows, selectedIds],
  );
  // Of those that are there: more may match, below or let go.
  const isAllSelected = selected.length === rows.held;
  const isPart = hasMore || rows.held < rows.count;
  return (
    <>
      {maySelect && (selected.length > 0 || isBusy) && (
        <Bulk
          selected={selected}
          filter={filter}
          canSelectAll={isPart && isAllSelected}
          isAll={wantsAll && isPart}
          onAll={() => setWantsAll(true)}
          onBusy={setBusy}
          onClear={clear}
        />
      )}
      <div
        role="table"
        aria-label={t("nav.executions")}
        // The heads are a row, too.
        aria-rowcount={hasMore ? -1 : rows.count + 1}
        className="flex min-h-0 flex-1 flex-col"
      >
        <div
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: gridColumns(columns, maySelect) }}
          className="grid h-9 shrink-0 items-center gap-3 border-b bg-sunken px-4 font-medium text-ink-soft text-xs max-md:hidden"
        >
          {maySelect && (
            <span role="columnheader" className="grid place-items-center">
              <input
                type="checkbox"
                aria-label={t("executions.selectShown")}
                checked={isAllSelected}
                ref={(box) => {
                  if (box) box.indeterminate = selected.length > 0 && !isAllSelected;
                }}
                onChange={() => {
                  if (isAllSelected) clear();
                  else setSelectedIds(new Set([...rows].map((row) => row.id)));
                }}
                className="size-4 accent-[var(--accent)]"
              />
            </span>
          )}
          <span role="columnheader">{t("executions.status")}</span>
          <span role="columnheader">{t("executions.name")}</span>
          {columns.map((column) => (
            <span key={column} role="columnheader" className={startsLeft(column) ? "" : "text-right"}>
              {t(`column.${column}`)}
            </span>
          ))}
        </div>
        <div
          ref={scroller}
          tabIndex={0}
          role="rowgroup"
          className="min-h-0 flex-1 basis-0 overflow-auto [overflow-anchor:none]"
        >
          {rows.count === 0 && <SkeletonRows look="executions" />}
          <div role="presentation" style={{ height: virtual.getTotalSize() }} className="relative">
            {items.map((item) => {
              const row = rows.at(item.index);
              // Rows that only move are not drawn again, and nothing in one of them moves anything outside.
              const place = {
                className: "absolute inset-x-0 [contain:strict]",
                style: { top: item.start, height: ROW_HEIGHT },
              };
              if (!row)
                return (
                  <div key={item.index} role="presentation" {...place}>
                    <SkeletonRow />
                  </div>
                );
              const isSelected = selectedIds.has(row.id);
              const isCurrent = row.id === currentId;
              return (
                <div
                  key={row.id}
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={isSelected}
                  aria-current={isCurrent || undefined}
                  {...place}
                >
                  <ExecutionRow
                    row={row}
                    columns={columns}
                    isNarrow={isNarrow}
                    isNew={isNew(row)}
                    isCurrent={isCurrent}
                    isSelected={isSelected}
                    onSelect={maySelect ? onSelect : undefined}
                  />
                </div>
              );
            })}
          </div>
        </div>
        {furtherError && <ProblemView error={furtherError} retry={retry} className="m-3" />}
      </div>
    </>
  );
}

/** A little longer than a row takes to slide in. */
const SLIDE_MS = 400;

/** Rows that were not there at first and have come in at the top: they slide in once. */
function useNewRows(rows: Rows): (row: Row) => boolean {
  const newest = useRef(rows.at(0));
  useEffect(() => {
    const first = rows.at(0);
    // Each goes on to its end: where something comes in all the time, none would.
    setTimeout(() => {
      if (first && (!newest.current || byNewest(first, newest.current) < 0)) newest.current = first;
    }, SLIDE_MS);
  }, [rows]);
  return (row) => !newest.current || byNewest(row, newest.current) < 0;
}

/** Rows that come in above what is looked at do not push it away. */
function useStayingInPlace(rows: Rows, scroller: React.RefObject<HTMLDivElement | null>): void {
  const first = useRef(rows.at(0)?.id);
  useLayoutEffect(() => {
    const added = rows.placeOf(first.current);
    first.current = rows.at(0)?.id;
    const element = scroller.current;
    if (element && added > 0 && element.scrollTop > 0) element.scrollTop += added * ROW_HEIGHT;
  }, [rows, scroller]);
}

/** Whether Enter already means something there. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("a, button, input, select, textarea") !== null;
}
