import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { memo } from "react";
import type { Row } from "@/api/executions";
import { isTerminal } from "@/api/executions";
import { Progress } from "@/components/Progress";
import { StatusBadge } from "@/components/StatusBadge";
import { Skeleton } from "@/components/states";
import { Ago, Elapsed } from "@/components/time";
import { useLanguage } from "@/i18n/language";
import { useFailureLine } from "@/i18n/words";
import type { Column } from "./columns";
import { Name, shortId, TypeIcon } from "./Name";
import { Retries } from "./Retries";

export const ROW_HEIGHT = 52;

/** Status and name. */
const NARROW_GRID = "112px minmax(0,1fr)";

/** The same grid for the heads and the rows. */
export function gridColumns(columns: readonly Column[], maySelect: boolean): string {
  const widths: Record<Column, string> = {
    version: "80px",
    owner: "140px",
    progress: "130px",
    duration: "92px",
    priority: "72px",
    labels: "minmax(110px,0.6fr)",
    created: "128px",
  };
  return `${maySelect ? "24px " : ""}122px minmax(180px,1fr) ${columns.map((column) => widths[column]).join(" ")}`;
}

/** Words begin at the left, numbers end at the right. */
export function startsLeft(column: Column): boolean {
  return column === "labels" || column === "version" || column === "owner";
}

/** What a row of the list holds. */
export const ExecutionRow = memo(function ExecutionRow({
  row,
  columns,
  isNarrow,
  isNew,
  isCurrent,
  isSelected,
  onSelect,
}: {
  row: Row;
  columns: readonly Column[];
  /** Only status, name and time. */
  isNarrow: boolean;
  isNew: boolean;
  isCurrent: boolean;
  isSelected: boolean;
  /** Missing when nothing could be done to what is selected. */
  onSelect?: (id: string, isRange: boolean) => void;
}) {
  const { t } = useLanguage();
  const failure = useFailureLine()(row.error);
  return (
    <div
      role="presentation"
      style={{ gridTemplateColumns: isNarrow ? NARROW_GRID : gridColumns(columns, onSelect !== undefined) }}
      className={clsx(
        "relative grid h-full items-center gap-3 border-b px-4 hover:bg-sunken",
        isNew && "animate-slide-in",
        isSelected && "bg-accent-soft",
        isCurrent && "shadow-[inset_3px_0_0_var(--accent)] bg-sunken",
      )}
    >
      {!isNarrow && onSelect && (
        <div role="cell" className="relative z-10 grid place-items-center">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={t("executions.select", { id: shortId(row.id) })}
            className="size-4 accent-[var(--accent)]"
            onClick={(event) => onSelect(row.id, event.shiftKey)}
            onChange={() => undefined}
          />
        </div>
      )}
      <div role="cell">
        <StatusBadge status={row.status} />
      </div>
      <div role="cell" className="min-w-0">
        <Link to="/executions/$id" params={{ id: row.id }} className="flex items-baseline gap-2 font-medium covers">
          <TypeIcon type={row.execution_type} className="self-center" />
          <span className="truncate">
            <Name row={row} />
          </span>
          {!isNarrow && <span className="font-mono font-normal text-ink-faint text-xs">{shortId(row.id)}</span>}
        </Link>
        {isNarrow ? (
          <p className="truncate pl-6 text-ink-soft text-xs">
            <Ago at={row.created_at} />
            <Retries row={row} isShort />
          </p>
        ) : (
          (failure || row.continued_by || row.continues) && (
            <p className="truncate pl-6 text-ink-soft text-xs">
              <Retries row={row} />
              {failure}
            </p>
          )
        )}
      </div>
      {!isNarrow &&
        columns.map((column) => (
          <div
            key={column}
            role="cell"
            className={clsx("min-w-0 truncate text-ink-soft", !startsLeft(column) && "text-right")}
          >
            <Cell row={row} column={column} />
          </div>
        ))}
    </div>
  );
});

/** Stands where a row is on its way. */
export function SkeletonRow() {
  return (
    <div aria-hidden className="flex h-full items-center gap-4 border-b px-4">
      <Skeleton className="h-[22px] w-24 rounded-full md:ml-9" />
      <Skeleton className="h-4 w-48" />
      <Skeleton className="ml-auto h-4 w-24 max-md:hidden" />
    </div>
  );
}

function Cell({ row, column }: { row: Row; column: Column }) {
  switch (column) {
    case "version":
      return <>{row.version}</>;
    case "owner":
      return <>{row.owner}</>;
    case "progress":
      if (isTerminal(row.status)) return null;
      return (
        <span className="flex items-center gap-2">
          <Progress fraction={row.progress.fraction} status={row.status} className="flex-1" />
          <span className="tabular w-9 text-xs">{Math.round(row.progress.fraction * 100)}%</span>
        </span>
      );
    case "duration":
      return row.started_at ? <Elapsed from={row.started_at} to={row.finished_at} /> : null;
    case "priority":
      return <span className="tabular">{row.priority}</span>;
    case "labels":
      return (
        <span className="text-xs">
          {Object.entries(row.labels ?? {})
            .map(([name, value]) => `${name}=${value}`)
            .join(", ")}
        </span>
      );
    case "created":
      return <Ago at={row.created_at} />;
  }
}
