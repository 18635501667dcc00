// The limits of the tenant that one looks at, and how much of them is in use.
import { useQuery } from "@tanstack/react-query";
import { tenantDetail } from "@/api/admin";
import { useStanding } from "@/api/me";
import { queueView } from "@/api/queue";
import { spending } from "@/api/spending";
import { useViewed } from "@/api/viewing";
import { Card, CardHead } from "@/components/Card";
import { ProblemView, SkeletonCards } from "@/components/states";
import { useNow } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { monthBegin } from "./limits";

export default function Limits() {
  const { t } = useLanguage();
  const formats = useFormats();
  const viewed = useViewed();
  const { tenantId } = useStanding();
  const id = viewed?.id ?? tenantId ?? "";
  const month = monthBegin(useNow());
  const tenant = useQuery({ ...tenantDetail(id), enabled: id !== "" });
  const queue = useQuery(queueView);
  const spent = useQuery(spending(month));
  const error = tenant.error ?? queue.error ?? spent.error;
  const again = () => void Promise.all([tenant.refetch(), queue.refetch(), spent.refetch()]);
  if (error && !(tenant.data && queue.data && spent.data)) return <ProblemView error={error} retry={again} />;
  if (!tenant.data || !queue.data || !spent.data) return <SkeletonCards count={4} className="space-y-4" />;
  const { limits_in_force: limits } = tenant.data;
  const { tokens, cost_usd: dollars } = spent.data.spent;
  return (
    <Card className="max-w-3xl overflow-hidden">
      <CardHead title={t("limits.of", { name: tenant.data.name })} />
      <p className="px-4 pt-4 text-ink-soft">{t("limits.useHint")}</p>
      <dl className="divide-y pt-2">
        <Limit
          name={t("limits.field.max_running_executions")}
          value={queue.data.running}
          limit={queue.data.max_running}
          show={formats.number}
        />
        <Limit
          name={t("limits.field.max_queued_executions")}
          value={queue.data.pending + queue.data.delayed}
          limit={queue.data.max_queued}
          show={formats.number}
        />
        <Limit
          name={t("limits.field.max_tokens_per_month")}
          value={tokens}
          limit={limits.max_tokens_per_month}
          show={formats.number}
        />
        <Limit
          name={t("limits.field.max_cost_per_month")}
          value={dollars}
          limit={limits.max_cost_per_month}
          show={formats.dollars}
        />
      </dl>
      <p className="border-t px-4 py-3 text-[13px] text-ink-soft">
        {t("limits.month", { time: formats.moment(month) })}
      </p>
    </Card>
  );
}

function Limit({
  name,
  value,
  limit,
  show,
}: {
  name: string;
  value: number;
  /** Missing when nothing limits it. */
  limit?: number | null;
  show: (value: number) => string;
}) {
  const { t } = useLanguage();
  const part = limit ? Math.min(1, value / limit) : 0;
  const look = part >= 1 ? "status-failed" : part >= 0.8 ? "status-paused" : "status-running";
  return (
    <div className={`${look} grid gap-x-6 gap-y-1.5 px-4 py-3 sm:grid-cols-[200px_minmax(0,1fr)_auto] sm:items-center`}>
      <dt>{name}</dt>
      <dd className="contents">
        <span className="h-2 overflow-hidden rounded-full bg-line max-sm:order-last" aria-hidden>
          <span
            className="block h-full rounded-full bg-status-solid transition-[width] duration-500"
            style={{ width: `${part * 100}%` }}
          />
        </span>
        <span className="tabular sm:min-w-36 sm:text-right">
          <span className="font-medium">{show(value)}</span>
          <span className="text-ink-soft"> / {limit == null ? t("limits.none") : show(limit)}</span>
        </span>
      </dd>
    </div>
  );
}
