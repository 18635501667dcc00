import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Ban, GitCompareArrows, RotateCcw, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { executionCount, matchingIds } from "@/api/executionLists";
import { actionOf, command, type Filter, type Row } from "@/api/executions";
import { useStanding } from "@/api/me";
import { Button, buttonClass } from "@/components/Button";
import { Confirm } from "@/components/Dialog";
import { problemOf } from "@/components/states";
import { ProblemTitle, tellProblem } from "@/components/tellProblem";
import { useFormats, useLanguage } from "@/i18n/language";
import { byNewest } from "@/live/patch";
import { type BulkCommand, type BulkProgress, forEach, grouped, narrowed, takes } from "./bulk";
import { searchOf } from "./search";

/** How long a notice stays that has more to it than a word. */
const LONG_MS = 12_000;

interface Work {
  command: BulkCommand;
  progress: BulkProgress;
  total: number;
}

/** What can be done to the selected executions, or to all that match. Nothing is offered that none of them would take. */
export function Bulk({
  selected,
  filter,
  canSelectAll,
  isAll,
  onAll,
  onBusy,
  onClear,
}: {
  selected: readonly Row[];
  filter: Filter;
  /** Everything that is shown is selected, and there is more that matches. */
  canSelectAll: boolean;
  /** Whether all that match are meant. */
  isAll: boolean;
  onAll: () => void;
  /** To be told while something is being done: what is done to takes executions out of the list. */
  onBusy: (isBusy: boolean) => void;
  onClear: () => void;
}) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { may } = useStanding();
  const navigate = useNavigate();
  const [work, setWork] = useState<Work>();
  const [asked, setAsked] = useState<BulkCommand>();
  const abort = useRef<AbortController>(undefined);
  // Who leaves the page stops what it was doing.
  useEffect(() => () => abort.current?.abort(), []);
  const cancels = useCount("cancel", selected, isAll ? filter : undefined);
  const retries = useCount("retry", selected, isAll ? filter : undefined);
  const passedOver = isAll ? 0 : selected.filter((row) => row.continued_by).length;
  const run = async ({ name, count, ids }: Countable) => {
    setAsked(undefined);
    const controller = new AbortController();
    abort.current = controller;
    onBusy(true);
    const show = (progress: BulkProgress) => setWork({ command: name, progress, total: count });
    show({ done: 0, failures: [] });
    try {
      tellEnd(name, await forEach(ids(controller.signal), (id) => command(id, name), show, controller.signal));
    } catch (error) {
      tellProblem(error);
    }
    setWork(undefined);
    onBusy(false);
    onClear();
  };
  const tellEnd = (name: BulkCommand, { done, failures }: BulkProgress) => {
    const count = done - failures.length;
    const text = t(`bulk.done.${name}`, { count, shown: formats.number(count) });
    // A list of failures shows neither what is going on again nor that it has succeeded this time.
    const isElsewhere = name === "retry" && count > 0 && filter.status !== undefined;
    const action = isElsewhere
      ? {
          label: t("bulk.show"),
          onClick: () => void navigate({ to: "/executions", search: searchOf({ ...filter, status: undefined }) }),
        }
      : undefined;
    if (failures.length === 0) return toast.success(text, { action, duration: action && LONG_MS });
    const reasons = grouped(failures.map(problemOf));
    toast.warning(text, {
      action,
      duration: LONG_MS,
      description: (
        <ul>
          {reasons.map(({ problem, count }) => (
            <li key={problem.code}>
              {t("bulk.refused", { count })} <ProblemTitle problem={problem} />
            </li>
          ))}
        </ul>
      ),
    });
  };
  const chosen = asked === "cancel" ? cancels : retries;
  return (
    <div
      role="toolbar"
      aria-label={t("bulk.label")}
      className="flex min-h-11 animate-appear flex-wrap items-center gap-x-3 gap-y-1.5 border-b bg-accent-soft px-4 py-1.5"
    >
      {work ? (
        <>
          <span className="font-medium">{t(`bulk.doing.${work.command}`)}</span>
          <div
            role="progressbar"
            aria-label={t(`bulk.doing.${work.command}`)}
            aria-valuemin={0}
            aria-valuemax={work.total}
            aria-valuenow={Math.min(work.progress.done, work.total)}
            className="h-1.5 w-40 overflow-hidden rounded-full bg-line"
          >
            <div
              className="h-full rounded-full bg-accent transition-[width]"
              style={{ width: `${work.total > 0 ? Math.min(100, (work.progress.done / work.total) * 100) : 0}%` }}
            />
          </div>
          <span className="tabular text-ink-soft">
            {t("bulk.progress", { done: formats.number(work.progress.done), total: formats.number(work.total) })}
          </span>
          <Button size="small" icon={Square} onClick={() => abort.current?.abort()}>
            {t("bulk.stop")}
          </Button>
        </>
      ) : (
        <>
          <span className="font-medium">
            {isAll
              ? t("bulk.all")
              : t("bulk.selected", { count: selected.length, shown: formats.number(selected.length) })}
          </span>
          {canSelectAll && !isAll && (
            <Button size="small" look="quiet" className="text-accent-text" onClick={onAll}>
              {t("bulk.selectAll")}
            </Button>
          )}
          {!isAll && <CompareTwo selected={selected} />}
          {cancels.count > 0 && (
            <Button size="small" icon={Ban} onClick={() => setAsked("cancel")}>
              {t("bulk.cancel", { count: cancels.count, shown: formats.number(cancels.count) })}
            </Button>
          )}
          {retries.count > 0 && (
            <Button size="small" icon={RotateCcw} onClick={() => (isAll ? setAsked("retry") : void run(retries))}>
              {t("bulk.retry", { count: retries.count, shown: formats.number(retries.count) })}
            </Button>
          )}
          {passedOver > 0 && may("execution_start") && (
            <span className="text-ink-soft">
              {t("bulk.passedOver", { count: passedOver, shown: formats.number(passedOver) })}
            </span>
          )}
          <Button size="small" look="quiet" onClick={onClear}>
            {t("bulk.clear")}
          </Button>
        </>
      )}
      <Confirm
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() => void run(chosen)}
        title={t(asked === "retry" ? "bulk.retryTitle" : "bulk.cancelTitle", {
          count: chosen.count,
          shown: formats.number(chosen.count),
        })}
        text={t(asked === "retry" ? "bulk.retryText" : "execution.cancelText")}
        action={t(asked === "retry" ? "bulk.retry" : "bulk.cancel", {
          count: chosen.count,
          shown: formats.number(chosen.count),
        })}
        isHarmless={asked === "retry"}
      />
    </div>
  );
}

/** Two that are selected are one click from their comparison, the older one first. */
function CompareTwo({ selected }: { selected: readonly Row[] }) {
  const { t } = useLanguage();
  const [b, a, ...more] = selected.toSorted(byNewest);
  if (!a || !b || more.length > 0) return null;
  return (
    <Link to="/compare" search={{ a: a.id, b: b.id }} className={clsx(buttonClass("plain", "small"))}>
      <GitCompareArrows className="size-4" aria-hidden />
      {t("compare.action")}
    </Link>
  );
}

interface Countable {
  name: BulkCommand;
  count: number;
  ids: (signal: AbortSignal) => Iterable<string> | AsyncIterable<string>;
}

/** How many would take a command: of those that are selected, or of all that match `filter`. */
function useCount(name: BulkCommand, selected: readonly Row[], filter: Filter | undefined): Countable {
  const { may } = useStanding();
  const isAllowed = may(actionOf(name));
  const wanted = filter && isAllowed ? narrowed(filter, name) : undefined;
  const counted = useQuery({ ...executionCount(wanted ?? {}), enabled: wanted !== undefined });
  if (!isAllowed) return { name, count: 0, ids: () => [] };
  if (filter) {
    const count = wanted ? (counted.data?.total ?? 0) : 0;
    return { name, count, ids: (signal) => (wanted ? matchingIds(wanted, signal) : []) };
  }
  const ids = selected.filter((row) => takes(row, name)).map((row) => row.id);
  return { name, count: ids.length, ids: () => ids };
}
