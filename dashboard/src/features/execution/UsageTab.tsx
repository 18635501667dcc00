import { useQuery } from "@tanstack/react-query";
import { Coins } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { executionUsage } from "@/api/executions";
import { Card } from "@/components/Card";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { useFormats } from "@/i18n/format";
import { nameOf } from "./timeline";
import { usageByTask } from "./usage";

export default function UsageTab({ id }: { id: string }) {
  const { t } = useTranslation();
  const formats = useFormats();
  const { data, error } = useQuery(executionUsage(id));
  const sums = useMemo(() => usageByTask(data?.items ?? []), [data]);
  if (error && !data) return <ProblemView error={error} />;
  if (!data) return <SkeletonRows count={3} />;
  if (sums.length === 0) {
    return (
      <Card>
        <Empty icon={Coins} title={t("usage.none")}>
          {t("usage.noneHint")}
        </Empty>
      </Card>
    );
  }
  const most = sums[0]?.tokens || 1;
  return (
    <Card className="overflow-x-auto">
      <table className="w-full min-w-[640px] text-left">
        <thead className="border-b bg-sunken text-ink-soft text-xs">
          <tr className="h-9 [&>th]:px-4 [&>th]:font-medium">
            <th>{t("usage.task")}</th>
            <th>{t("usage.model")}</th>
            <th className="text-right">{t("usage.calls")}</th>
            <th className="text-right">{t("usage.tokens")}</th>
            <th className="w-40" aria-label={t("usage.share")} />
            <th className="text-right">{t("usage.wasted")}</th>
            <th className="text-right">{t("usage.cost")}</th>
            <th className="text-right">{t("usage.latency")}</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {sums.map((sum) => (
            <tr key={sum.task} className="tabular h-11 [&>td]:px-4">
              <td className="font-medium">{nameOf(sum.task)}</td>
              <td className="text-ink-soft">{sum.models.join(", ")}</td>
              <td className="text-right">{formats.number(sum.calls)}</td>
              <td className="text-right">{formats.number(sum.tokens)}</td>
              <td>
                <div className="flex h-2 overflow-hidden rounded-full bg-line" aria-hidden>
                  <div className="bg-accent" style={{ width: `${((sum.tokens - sum.wastedTokens) / most) * 100}%` }} />
                  <div
                    className="status-failed bg-status-solid"
                    style={{ width: `${(sum.wastedTokens / most) * 100}%` }}
                  />
                </div>
              </td>
              <td className="text-right">{sum.wastedTokens > 0 ? formats.number(sum.wastedTokens) : "–"}</td>
              <td className="text-right">{sum.costUsd === undefined ? "–" : formats.dollars(sum.costUsd)}</td>
              <td className="text-right">{formats.duration(sum.latencyMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
