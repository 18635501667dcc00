import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ArrowUpDown, CircleCheck } from "lucide-react";
import { useState } from "react";
import { tenantList } from "@/api/admin";
import type { NamedTenantQueue, QueueView, Waiting } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { queueView } from "@/api/queue";
import { useViewed } from "@/api/viewing";
import { Button } from "@/components/Button";
import { Card, CardHead, CardLink, PageHead } from "@/components/Card";
import { Empty, ProblemView, SkeletonCards, SkeletonRows } from "@/components/states";
import { Ago } from "@/components/time";
import { type Changeable, ChangeDialog } from "@/features/executions/ChangeDialog";
import { Name, shortId } from "@/features/executions/Name";
import { useFormats, useLanguage } from "@/i18n/language";

export function QueuePage() {
  const { t } = useLanguage();
  const { data, error, refetch } = useQuery(queueView);
  return (
    <>
      <PageHead title={t("nav.queue")} lead={t("queue.lead")} />
      {error && !data ? (
        <ProblemView error={error} retry={() => void refetch()} />
      ) : !data ? (
        <>
          <SkeletonCards count={2} className="mb-5 grid gap-5 sm:grid-cols-2" />
          <div className="grid gap-5 lg:grid-cols-2">
            {["priorities", "next"].map((name) => (
              <Card key={name}>
                <SkeletonRows count={3} />
              </Card>
            ))}
          </div>
        </>
      ) : (
        <Loaded queue={data} />
      )}
    </>
  );
}

function Loaded({ queue }: { queue: QueueView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  return (
    <div className="space-y-5">
      <div className="grid gap-5 sm:grid-cols-2">
        <Gauge
          name={t("queue.slots")}
          value={queue.running}
          limit={queue.max_running}
          note={t("queue.parked", { count: queue.parked })}
          isMeantToFill
        />
        <Gauge
          name={t("queue.waiting")}
          value={queue.pending}
          limit={queue.max_queued}
          note={t("queue.woken", { count: queue.woken })}
        />
      </div>
      {queue.head && (
        <Card className="status-waiting flex flex-wrap items-center gap-x-3 gap-y-1 border-status-solid/40! bg-status-tint! px-4 py-3 shadow-none!">
          <span className="font-medium text-status">{t("queue.head")}</span>
          {queue.head.execution_id ? (
            <Link
              to="/executions/$id"
              params={{ id: queue.head.execution_id }}
              className="font-mono text-[13px] underline"
            >
              {shortId(queue.head.execution_id)}
            </Link>
          ) : (
            <span>{t("queue.somebodyElses")}</span>
          )}
          <span className="text-ink-soft">
            {t(`queue.holdup.${queue.head.holdup}`, { shown: formats.number(queue.head.limit ?? 0) })}
          </span>
        </Card>
      )}
      {queue.pending === 0 && queue.by_priority.length === 0 ? (
        <Card>
          <Empty icon={CircleCheck} title={t("queue.empty")}>
            {t("queue.emptyHint")}
          </Empty>
        </Card>
      ) : (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <Priorities queue={queue} />
          <Next queue={queue} />
        </div>
      )}
      {queue.service && <Tenants tenants={queue.service.tenants} />}
    </div>
  );
}

function Gauge({
  name,
  value,
  limit,
  note,
  isMeantToFill,
}: {
  name: string;
  value: number;
  limit: number;
  note: string;
  /** Nothing is wrong when all of it is in use. */
  isMeantToFill?: boolean;
}) {
  const formats = useFormats();
  const part = limit > 0 ? Math.min(1, value / limit) : 0;
  const look = isMeantToFill || part < 0.8 ? "status-running" : part < 1 ? "status-paused" : "status-failed";
  return (
    <Card className={clsx(look, "p-4")}>
      <p className="text-[13px] text-ink-soft">{name}</p>
      <p className="tabular mt-1 font-semibold text-2xl tracking-tight">
        {formats.number(value)} <span className="font-normal text-base text-ink-faint">/ {formats.number(limit)}</span>
      </p>
      <div
        role="meter"
        aria-label={name}
        aria-valuenow={value}
        aria-valuemin={0}
        aria-valuemax={limit}
        className="mt-3 h-2 overflow-hidden rounded-full bg-line"
      >
        <div
          className="h-full rounded-full bg-status-solid transition-[width] duration-500"
          style={{ width: `${part * 100}%` }}
        />
      </div>
      <p className="mt-2 text-ink-faint text-xs">{note}</p>
    </Card>
  );
}

function Priorities({ queue }: { queue: QueueView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const most = Math.max(1, ...queue.by_priority.map((depth) => depth.pending));
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("queue.byPriority")} />
      {queue.by_priority.length === 0 ? (
        <Empty icon={CircleCheck} title={t("queue.empty")} />
      ) : (
        <ul className="divide-y">
          {queue.by_priority.map((depth) => (
            <li
              key={depth.priority}
              className="tabular grid grid-cols-[64px_minmax(0,1fr)_auto] items-center gap-3 px-4 py-2.5"
            >
              <span className="text-ink-soft">{t("queue.priority", { priority: depth.priority })}</span>
              <span
                className="h-2.5 rounded-full bg-accent"
                style={{ width: `${Math.max(1, (depth.pending / most) * 100)}%` }}
                aria-hidden
              />
              <span className="text-right">
                <span className="font-medium">{formats.number(depth.pending)}</span>
                <span className="ml-3 text-ink-faint text-xs">
                  {t("queue.oldest", { time: formats.duration(depth.oldest_waits_ms) })}
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Those that wait, in the order in which they get their slots. */
function Next({ queue }: { queue: QueueView }) {
  const { t } = useLanguage();
  const [changed, setChanged] = useState<Changeable>();
  const { next, pending } = queue;
  return (
    <Card className="overflow-hidden" aria-labelledby="waiting">
      <CardHead title={t("queue.inOrder")} id="waiting">
        <CardLink to="/executions" search={{ status: "pending" }}>
          {t("dashboard.all")}
        </CardLink>
      </CardHead>
      {next.length === 0 ? (
        <Empty icon={CircleCheck} title={t("queue.empty")} />
      ) : (
        <ol className="divide-y">
          {next.map((waiting, index) => (
            <Waits key={waiting.execution?.id ?? index} waiting={waiting} turn={index + 1} onChange={setChanged} />
          ))}
        </ol>
      )}
      {pending > next.length && next.length > 0 && (
        <p className="border-t px-4 py-2 text-ink-faint text-xs">
          {t("queue.further", { count: pending - next.length })}
        </p>
      )}
      {changed && <ChangeDialog execution={changed} isOpen onClose={() => setChanged(undefined)} />}
    </Card>
  );
}

function Waits({
  waiting,
  turn,
  onChange,
}: {
  waiting: Waiting;
  turn: number;
  onChange: (execution: Changeable) => void;
}) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const { execution, priority, created_at } = waiting;
  return (
    <li className="relative flex min-h-11 items-center gap-3 px-4 py-1.5 hover:bg-sunken">
      <span className="tabular w-5 shrink-0 text-right text-ink-faint text-xs">{turn}</span>
      {execution ? (
        <Link to="/executions/$id" params={{ id: execution.id }} className="min-w-0 flex-1 truncate font-medium covers">
          <Name row={execution} />{" "}
          <span className="font-mono font-normal text-ink-faint text-xs">{shortId(execution.id)}</span>
        </Link>
      ) : (
        <span className="min-w-0 flex-1 truncate text-ink-soft">{t("queue.somebodyElses")}</span>
      )}
      <span className="tabular shrink-0 text-ink-soft text-xs">{t("queue.priority", { priority })}</span>
      <span className="w-24 shrink-0 truncate text-right text-ink-soft text-xs max-sm:hidden">
        <Ago at={created_at} />
      </span>
      {execution && may("execution_steer", execution.created_by) && (
        <Button
          look="quiet"
          size="small"
          icon={ArrowUpDown}
          aria-label={t("queue.change", { id: shortId(execution.id) })}
          title={t("change.title")}
          onClick={() => onChange({ id: execution.id, priority, labels: execution.labels })}
          className="-mr-2 relative z-10"
        />
      )}
    </li>
  );
}

/** For operators: how the tenants share the slots of the service. */
function Tenants({ tenants }: { tenants: readonly NamedTenantQueue[] }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { data } = useInfiniteQuery(tenantList);
  const known = data?.pages.flatMap((page) => page.items) ?? [];
  const viewed = useViewed();
  const { tenantId } = useStanding();
  // The one that is looked at stands above.
  if (tenants.every(({ tenant_id }) => tenant_id === (viewed?.id ?? tenantId))) return null;
  const of = (count: number, limit: number) => `${formats.number(count)} / ${formats.number(limit)}`;
  return (
    <Card className="overflow-x-auto lg:col-span-2">
      <CardHead title={t("admin.section.tenants")} />
      <table className="tabular w-full text-left">
        <thead className="border-b bg-sunken text-ink-soft text-xs">
          <tr className="h-9 [&>th]:px-4 [&>th]:font-medium">
            <th>{t("tenants.name")}</th>
            <th className="text-right">{t("queue.slots")}</th>
            <th className="text-right">{t("queue.pending")}</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {tenants.map(({ tenant_id, running, max_running, pending, delayed, max_queued }) => (
            <tr key={tenant_id} className="h-10 [&>td]:px-4">
              <td className="break-words">
                {known.find(({ id }) => id === tenant_id)?.name ?? (
                  <span className="font-mono text-xs">{shortId(tenant_id)}</span>
                )}
              </td>
              <td className="whitespace-nowrap text-right">{of(running, max_running)}</td>
              <td className="whitespace-nowrap text-right">{of(pending + delayed, max_queued)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
