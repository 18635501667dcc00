import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { Coins } from "lucide-react";
import { useMemo } from "react";
import { executionUsage } from "@/api/executions";
import type { BudgetView, ExecutionDetail } from "@/api/generated/schema";
import { Card, CardHead } from "@/components/Card";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { useMeters } from "@/features/budget/Asking";
import { Meters } from "@/features/budget/Meters";
import { useFormats, useLanguage } from "@/i18n/language";
import { nameOf, type Timeline } from "./timeline";
import { type TaskUsage, usageByTask } from "./usage";

export default function UsageTab({ execution, timeline }: { execution: ExecutionDetail; timeline: Timeline }) {
  const { t } = useLanguage();
  const { data, error, refetch } = useQuery(executionUsage(execution.id));
  const sums = useMemo(() => usageByTask(data?.items ?? []), [data]);
  return (
    <div className="space-y-4">
      {execution.budget && <Budget execution={execution} budget={execution.budget} timeline={timeline} />}
      {error && !data ? (
        <ProblemView error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Card>
          <SkeletonRows count={3} />
        </Card>
      ) : sums.length === 0 ? (
        <Card>
          <Empty icon={Coins} title={t("usage.none")}>
            {t("usage.noneHint")}
          </Empty>
        </Card>
      ) : (
        <Sums sums={sums} />
      )}
    </div>
  );
}

function Budget(props: { execution: ExecutionDetail; budget: BudgetView; timeline: Timeline }) {
  const { t } = useLanguage();
  return (
    <Card>
      <CardHead title={t("budget.title")} />
      <Meters meters={useMeters(props.execution, props.budget, props.timeline)} className="p-4" />
    </Card>
  );
}

function Sums({ sums }: { sums: readonly TaskUsage[] }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const most = sums[0]?.tokens || 1;
  return (
    <Card className="overflow-hidden">
      <div className="relative overflow-x-auto">
        <table className="w-full min-w-[640px] text-left">
          <thead className="border-b bg-sunken text-ink-soft text-xs">
            <tr className="h-9 [&>th]:whitespace-nowrap [&>th]:px-4 [&>th]:font-medium">
              <th>{t("usage.task")}</th>
              <th>{t("usage.model")}</th>
              <th className="text-right">{t("usage.calls")}</th>
              <th className="text-right">{t("usage.tokens")}</th>
              <th className="w-40">
                <span className="sr-only">{t("usage.share")}</span>
              </th>
              <th className="text-right">{t("usage.wasted")}</th>
              <th className="text-right">{t("usage.cost")}</th>
              <th className="text-right">{t("usage.latency")}</th>
            </tr>
          </thead>
          <tbody className="divide-y">
            {sums.map((sum) => (
              <tr key={sum.task} className="tabular h-11 [&>td]:whitespace-nowrap [&>td]:px-4">
                <td className="font-medium">{nameOf(sum.task)}</td>
                <td className="text-ink-soft">{sum.models.join(", ")}</td>
                <td className="text-right">{formats.number(sum.calls)}</td>
                <td className="text-right" title={sum.isEstimated ? t("usage.estimated") : undefined}>
                  {sum.isEstimated && <span className="text-ink-faint">≈ </span>}
                  {sum.tokens > 0 ? formats.number(sum.tokens) : "–"}
                </td>
                <td>
                  <div
                    className={clsx("flex h-2 overflow-hidden rounded-full bg-line", sum.tokens === 0 && "invisible")}
                    aria-hidden
                  >
                    <div
                      className="bg-accent"
                      style={{ width: `${((sum.tokens - sum.wastedTokens) / most) * 100}%` }}
                    />
                    <div
                      className="status-failed bg-status-solid"
                      style={{ width: `${(sum.wastedTokens / most) * 100}%` }}
                    />
                  </div>
                </td>
                <td className="text-right" title={sum.wastedUsd > 0 ? formats.dollars(sum.wastedUsd) : undefined}>
                  {sum.wastedTokens > 0 ? formats.number(sum.wastedTokens) : "–"}
                </td>
                <td className="text-right">{sum.costUsd ? formats.dollars(sum.costUsd) : "–"}</td>
                <td className="text-right">{formats.duration(sum.latencyMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
