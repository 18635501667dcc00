import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { CircleCheck, HandCoins } from "lucide-react";
import { useMemo } from "react";
import { executionList } from "@/api/executionLists";
import { type ExecutionPages, isTerminal, type Row } from "@/api/executions";
import { Card, CardHead, CardLink, PageHead } from "@/components/Card";
import { Progress } from "@/components/Progress";
import { StatusBadge, StatusIcon } from "@/components/StatusBadge";
import { sentence } from "@/components/sentence";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { Ago, Elapsed } from "@/components/time";
import { Name, shortId, TypeIcon } from "@/features/executions/Name";
import { Nothing } from "@/features/executions/Nothing";
import { Retries } from "@/features/executions/Retries";
import { useLanguage } from "@/i18n/language";
import { useFailureLine, useServiceWords } from "@/i18n/words";
import { attention } from "./attention";
import { Figures } from "./Figures";

/** As many as one looks through; the list of executions has them all. */
const MAX_HISTORY = 20;
const MAX_ATTENTION = 8;

export function DashboardPage() {
  const { t } = useLanguage();
  return (
    <>
      <PageHead title={t("nav.dashboard")} />
      <Figures />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_360px] 2xl:grid-cols-[minmax(0,1fr)_420px] min-[188rem]:grid-cols-[minmax(0,1fr)_640px]">
        <History />
        <Attention />
      </div>
    </>
  );
}

function History() {
  const { t } = useLanguage();
  const { data, error, refetch } = useQuery(executionList({}));
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items).slice(0, MAX_HISTORY), [data]);
  const newest = rows?.[0]?.id;
  return (
    <Card aria-labelledby="history" className="overflow-hidden">
      <CardHead id="history" title={t("dashboard.history")}>
        <CardLink to="/executions">{t("dashboard.all")}</CardLink>
      </CardHead>
      {error && !data ? (
        <ProblemView error={error} retry={() => void refetch()} className="m-4" />
      ) : !rows ? (
        <SkeletonRows look="executions" />
      ) : rows.length === 0 ? (
        <Nothing />
      ) : (
        <ul>
          {rows.map((row) => (
            <HistoryItem key={row.id} row={row} isNewest={row.id === newest} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function HistoryItem({ row, isNewest }: { row: Row; isNewest: boolean }) {
  const failure = useFailureLine()(row.error);
  const isOpen = !isTerminal(row.status);
  return (
    <li
      className={clsx(
        "relative grid min-h-14 grid-cols-[112px_minmax(0,1fr)_auto] items-center gap-3 border-b px-4 py-2 last:border-0 hover:bg-sunken max-sm:grid-cols-[minmax(0,1fr)_auto] max-sm:gap-y-1.5 max-sm:py-2.5",
        isNewest && "animate-slide-in",
      )}
    >
      <StatusBadge status={row.status} className="justify-self-start max-sm:order-last" />
      <div className="min-w-0">
        <Link to="/executions/$id" params={{ id: row.id }} className="flex items-baseline gap-2 font-medium covers">
          <TypeIcon type={row.execution_type} className="self-center" />
          <span className="truncate">
            <Name row={row} />
          </span>
          <span className="font-mono font-normal text-ink-faint text-xs max-sm:hidden">{shortId(row.id)}</span>
        </Link>
        {isOpen && row.started_at && (
          <Progress fraction={row.progress.fraction} status={row.status} className="mt-1.5 ml-6 max-w-sm" />
        )}
        {(failure || row.continued_by || row.continues) && (
          <p className="truncate pl-6 text-ink-soft text-xs">
            <Retries row={row} />
            {failure}
          </p>
        )}
      </div>
      <div className="text-right text-ink-soft text-xs">
        <p>{row.started_at && <Elapsed from={row.started_at} to={row.finished_at} />}</p>
        <p className="text-ink-faint">
          <Ago at={row.created_at} />
        </p>
      </div>
    </li>
  );
}

function firstOf(data: ExecutionPages): readonly Row[] {
  return data.pages[0]?.items ?? [];
}

/** What waits for somebody: what asks for more budget, what has failed and was not retried, and what somebody has paused. */
function Attention() {
  const { t } = useLanguage();
  const say = useServiceWords();
  const lineOf = useFailureLine();
  const paused = useQuery(executionList({ status: ["paused"] }));
  const failed = useQuery(executionList({ status: ["failed"], continued: false }));
  const error = paused.error ?? failed.error;
  const rows = useMemo(
    () => paused.data && failed.data && attention(firstOf(paused.data), firstOf(failed.data)).slice(0, MAX_ATTENTION),
    [paused.data, failed.data],
  );
  /** There are more failures than were looked through. */
  const isCut = failed.data?.pages[0]?.next !== undefined;
  const again = () => void Promise.all([paused.refetch(), failed.refetch()]);
  return (
    <Card aria-labelledby="attention" className="overflow-hidden">
      <CardHead id="attention" title={t("dashboard.attention")}>
        <CardLink to="/executions" search={{ status: "paused,failed", continued: "false" }}>
          {t("dashboard.all")}
        </CardLink>
      </CardHead>
      {error && !rows ? (
        <ProblemView error={error} retry={again} className="m-4" />
      ) : !rows ? (
        <SkeletonRows count={3} />
      ) : rows.length === 0 ? (
        <Empty icon={CircleCheck} title={t("dashboard.calm")}>
          {t("dashboard.calmHint")}
        </Empty>
      ) : (
        <ul className="divide-y">
          {rows.map(({ row, count }) => (
            <li key={row.id} className="relative flex gap-2.5 px-4 py-2.5 hover:bg-sunken">
              {row.pause_reason ? (
                <HandCoins className="status-paused mt-0.5 size-4 shrink-0 text-status" aria-hidden />
              ) : (
                <StatusIcon status={row.status} className="mt-0.5" />
              )}
              <div className="min-w-0 flex-1">
                <Link
                  to="/executions/$id"
                  params={{ id: row.id }}
                  className="flex items-center gap-2 font-medium covers"
                >
                  <span className="truncate">
                    <Name row={row} />
                  </span>
                  {count > 1 && (
                    <span
                      title={t(isCut ? "dashboard.failuresAtLeast" : "dashboard.failures", { count })}
                      className="status-failed tabular rounded-full bg-status-tint px-1.5 text-status text-xs"
                    >
                      <span aria-hidden>{isCut ? `×${count}+` : `×${count}`}</span>
                      <span className="sr-only">
                        {t(isCut ? "dashboard.failuresAtLeast" : "dashboard.failures", { count })}
                      </span>
                    </span>
                  )}
                </Link>
                {row.pause_reason && (
                  <p className="status-paused font-medium text-status text-xs first-letter:uppercase">
                    {t(`budget.bound.${row.pause_limit ?? "unknown"}`)}
                  </p>
                )}
                <p className="line-clamp-2 break-words text-ink-soft text-xs">
                  {row.pause_reason ? sentence(say(row.pause_reason)) : (lineOf(row.error) ?? t("dashboard.paused"))}
                </p>
              </div>
              <p className="text-ink-faint text-xs">
                <Ago at={row.finished_at ?? row.updated_at} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
