import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { executionStats } from "@/api/executions";
import { queueView } from "@/api/queue";
import { Card } from "@/components/Card";
import { Sparkline } from "@/components/Sparkline";
import { Skeleton } from "@/components/states";
import { useFormats } from "@/i18n/format";
import { seriesOf } from "./hours";

const HOURS = 24;

/** The numbers of the last day, and of this moment. */
export function Figures() {
  const { t } = useTranslation();
  const formats = useFormats();
  const stats = useQuery(executionStats(HOURS));
  const queue = useQuery(queueView);
  const series = useMemo(() => stats.data && seriesOf(stats.data.per_hour, HOURS, Date.now()), [stats.data]);
  const figures = stats.data;
  const now = queue.data;
  return (
    <div className="mb-5 grid grid-cols-2 gap-3 lg:grid-cols-5">
      <Figure
        name={t("figure.running")}
        value={now && formats.number(now.running)}
        note={now && t("figure.slots", { count: now.max_running, shown: formats.number(now.max_running) })}
        to="running,waiting"
      />
      <Figure
        name={t("figure.queued")}
        value={now && formats.number(now.pending)}
        note={now && t("figure.parked", { count: now.parked })}
        to="pending"
      />
      <Figure
        name={t("figure.started")}
        value={figures && formats.compact(figures.total)}
        note={t("figure.day")}
        chart={series && <Sparkline values={series.created} label={t("figure.perHour")} />}
      />
      <Figure
        name={t("figure.successRate")}
        value={figures && (figures.success_rate == null ? "–" : formats.percent(figures.success_rate))}
        note={figures && t("figure.failed", { count: figures.by_status.failed ?? 0 })}
        chart={
          series && figures?.success_rate != null && <Sparkline values={series.rate} label={t("figure.perHour")} />
        }
      />
      <Figure
        name={t("figure.p95")}
        value={figures && (figures.run_ms.p95 == null ? "–" : formats.duration(figures.run_ms.p95))}
        note={
          figures?.run_ms.p50 != null ? t("figure.median", { time: formats.duration(figures.run_ms.p50) }) : undefined
        }
      />
    </div>
  );
}

function Figure({
  name,
  value,
  note,
  chart,
  to,
}: {
  name: string;
  value?: string;
  note?: string;
  chart?: ReactNode;
  to?: string;
}) {
  return (
    <Card className="relative flex min-h-[104px] flex-col p-4 last:max-lg:col-span-2">
      <p className="text-[13px] text-ink-soft">
        {to ? (
          <Link to="/executions" search={{ status: to }} className="after:absolute after:inset-0 hover:text-ink">
            {name}
          </Link>
        ) : (
          name
        )}
      </p>
      {value === undefined ? (
        <Skeleton className="mt-1.5 h-7 w-20" />
      ) : (
        <p className="tabular font-semibold text-2xl leading-9 tracking-tight">{value}</p>
      )}
      <div className="mt-auto flex items-end gap-3">
        <p className="shrink-0 text-ink-faint text-xs">{note}</p>
        {chart && <div className="min-w-0 flex-1">{chart}</div>}
      </div>
    </Card>
  );
}
