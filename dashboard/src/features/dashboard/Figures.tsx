import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { serviceNow } from "@/api/clock";
import { executionStats } from "@/api/executions";
import { useStanding } from "@/api/me";
import { queueView } from "@/api/queue";
import { spending } from "@/api/spending";
import { useViewed } from "@/api/viewing";
import { Card } from "@/components/Card";
import { Sparkline } from "@/components/Sparkline";
import { ProblemView, Skeleton } from "@/components/states";
import { useMidnight, useNow } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { dayOf, seriesOf } from "./hours";
import { course, type Sample, withSample } from "./lately";

const HOURS = 24;
const DAY_MS = 86_400_000;

/** The numbers of the last day, and of this moment. */
export function Figures() {
  const { t } = useLanguage();
  const formats = useFormats();
  const stats = useQuery(executionStats(HOURS));
  const queue = useQuery(queueView);
  const series = useMemo(() => stats.data && seriesOf(stats.data.per_hour, HOURS, serviceNow()), [stats.data]);
  const figures = stats.data;
  const now = queue.data;
  const isMissing = (stats.error && !figures) || (queue.error && !now);
  if (isMissing) {
    const again = () => void Promise.all([stats.refetch(), queue.refetch()]);
    return <ProblemView error={stats.error ?? queue.error} retry={again} className="mb-5" />;
  }
  return (
    <div className="mb-5 grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      <Figure
        name={t("figure.running")}
        value={now && formats.number(now.running)}
        note={now && t("figure.slots", { count: now.max_running, shown: formats.number(now.max_running) })}
        chart={<Lately value={now?.running} name="running" />}
        to="running,waiting"
      />
      <Figure
        name={t("figure.queued")}
        value={now && formats.number(now.pending)}
        note={now && t("figure.parked", { count: now.parked })}
        chart={<Lately value={now?.pending} name="pending" />}
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
        chart={series && <Sparkline values={series.rate} most={1} label={t("figure.perHour")} />}
      />
      <Figure
        name={t("figure.p95")}
        value={figures && (figures.run_ms.p95 == null ? "–" : formats.duration(figures.run_ms.p95))}
        note={
          figures?.run_ms.p50 != null ? t("figure.median", { time: formats.duration(figures.run_ms.p50) }) : undefined
        }
        chart={series && <Sparkline values={series.p95} label={t("figure.perHour")} />}
      />
      <SpentToday />
    </div>
  );
}

const courses = new Map<string, Sample[]>();

/** How a figure of this moment has gone since the page was opened. */
function Lately({ name, value }: { name: string; value?: number }) {
  const { t } = useLanguage();
  const now = useNow();
  const viewed = useViewed();
  const { tenantId } = useStanding();
  // Another tenant has other figures.
  const key = `${viewed?.id ?? tenantId} ${name}`;
  if (value !== undefined) courses.set(key, withSample(courses.get(key) ?? [], value, now));
  const line = course(courses.get(key) ?? [], now);
  if (line.length === 0) return null;
  return <Sparkline values={line} label={t("figure.lately")} />;
}

/** In dollars where prices are known, in tokens otherwise. */
function SpentToday() {
  const { t } = useLanguage();
  const formats = useFormats();
  const midnight = useMidnight();
  const begin = midnight - DAY_MS;
  const { data, error } = useQuery(spending(new Date(begin).toISOString()));
  const day = useMemo(
    () => data && dayOf(data.per_hour, begin, midnight, HOURS, serviceNow()),
    [data, begin, midnight],
  );
  const hasPrice = (data?.spent.cost_usd ?? 0) > 0;
  const tokens = day && t("figure.tokens", { count: day.today.tokens, shown: formats.compact(day.today.tokens) });
  return (
    <Figure
      name={t("figure.spent")}
      value={error && !day ? "–" : day && (hasPrice ? formats.dollars(day.today.cost_usd) : tokens)}
      note={day && (hasPrice ? tokens : t("figure.calls", { count: day.today.calls }))}
      chart={
        day && (
          <Sparkline
            values={day.hourly.map((hour) => (hasPrice ? hour.cost_usd : hour.tokens))}
            label={t("figure.perHour")}
          />
        )
      }
    />
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
    <Card className="relative flex flex-col p-4">
      <p className="text-[13px] text-ink-soft">
        {to ? (
          <Link to="/executions" search={{ status: to }} className="covers hover:text-ink">
            {name}
          </Link>
        ) : (
          name
        )}
      </p>
      {value === undefined ? (
        <Skeleton className="my-1 h-7 w-20" />
      ) : (
        <p className="tabular truncate font-semibold text-2xl leading-9 tracking-tight">{value}</p>
      )}
      {/* As high as a chart, also before there is one. */}
      <div className="mt-auto flex h-7 items-end gap-3">
        <p className="shrink-0 text-ink-faint text-xs">{note}</p>
        {chart && <div className="min-w-0 flex-1">{chart}</div>}
      </div>
    </Card>
  );
}
