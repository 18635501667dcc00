import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import {
  ArrowLeft,
  Ban,
  CirclePause,
  GitCompareArrows,
  type LucideIcon,
  Play,
  RefreshCw,
  RotateCcw,
  ShieldCheck,
} from "lucide-react";
import { Tabs } from "radix-ui";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { actionOf, type Command, commandsFor, executionDetail, isTerminal } from "@/api/executions";
import type { BudgetView, ExecutionDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button, buttonClass } from "@/components/Button";
import { Card } from "@/components/Card";
import { Copy } from "@/components/Copy";
import { Progress } from "@/components/Progress";
import { StatusBadge } from "@/components/StatusBadge";
import { ProblemView, Skeleton } from "@/components/states";
import { Ago, Elapsed } from "@/components/time";
import { useCurrentInView } from "@/components/useCurrentInView";
import { useTitle } from "@/components/useTitle";
import { Asking, useMeters } from "@/features/budget/Asking";
import { boundOf, isOfMonth, partOf } from "@/features/budget/budget";
import { useName } from "@/features/executions/Name";
import { useCommand } from "@/features/executions/useCommand";
import { useFormats } from "@/i18n/format";
import { type Tab, tabs } from "./search";
import type { Timeline as Story } from "./timeline";
import { useTimeline } from "./useTimeline";

const Graph = lazy(() => import("./GraphTab"));
const Timeline = lazy(() => import("./TimelineTab"));
const Logs = lazy(() => import("./LogsTab"));
const Events = lazy(() => import("./EventsTab"));
const Output = lazy(() => import("./OutputTab"));
const Usage = lazy(() => import("./UsageTab"));

const route = getRouteApi("/pages/executions/$id");

export function ExecutionPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(executionDetail(id));
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  // Another execution is another page: nothing of the last one stays.
  return <Loaded key={id} execution={data} />;
}

function Loading() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t("state.loading")} className="space-y-4">
      <Skeleton className="h-8 w-72" />
      <Skeleton className="h-20 w-full rounded-xl" />
      <Skeleton className="h-96 w-full rounded-xl" />
    </div>
  );
}

function Loaded({ execution }: { execution: ExecutionDetail }) {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { may } = useStanding();
  const { send, dialog, isBusy } = useCommand(execution.id);
  const isTest = execution.execution_type === "agent_test";
  const tab = search.tab ?? (isTest ? "output" : "graph");
  const strip = useCurrentInView<HTMLDivElement>(tab);
  const { timeline, events, error, retry } = useTimeline(execution.id);
  const panels: Record<Tab, ReactNode> = {
    graph: <Graph id={execution.id} timeline={timeline} />,
    timeline: <Timeline timeline={timeline} isOver={isTerminal(execution.status)} />,
    logs: <Logs id={execution.id} />,
    events: <Events events={events} />,
    output: <Output execution={execution} />,
    usage: <Usage execution={execution} timeline={timeline} />,
  };
  const isAsking = execution.status === "paused" && execution.pause_reason != null;
  const bound = boundOf(events);
  const commands = commandsFor(execution.status).filter(
    (command) =>
      may(actionOf(command), execution.created_by) &&
      // What a budget asks for is answered below: to go on with one that is used up would only ask again.
      !(isAsking && !isOfMonth(bound)),
  );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Head execution={execution} timeline={timeline} commands={commands} send={send} isBusy={isBusy} />
      {dialog}
      {isAsking && <Asking execution={execution} bound={bound} timeline={timeline} onCommand={send} />}
      {error && <ProblemView error={error} retry={retry} className="mb-4" />}
      {execution.error && <Failure execution={execution} />}
      <Tabs.Root
        value={tab}
        onValueChange={(value) => void navigate({ search: { tab: tabs.find((one) => one === value) }, replace: true })}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Tabs.List ref={strip} aria-label={t("execution.views")} className="mb-3 flex gap-1 overflow-x-auto border-b">
          {tabs.map((one) => (
            <Tabs.Trigger
              key={one}
              value={one}
              className="-mb-px h-9 whitespace-nowrap border-transparent border-b-2 px-3 text-ink-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink"
            >
              {t(`tab.${one}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value={tab} className="flex min-h-0 flex-1 flex-col focus-visible:outline-none">
          <Suspense fallback={<Skeleton className="h-96 w-full rounded-xl" />}>{panels[tab]}</Suspense>
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}

const commandIcons: Record<Command, LucideIcon> = {
  cancel: Ban,
  pause: CirclePause,
  resume: Play,
  retry: RotateCcw,
  rerun: RefreshCw,
};

function Head({
  execution,
  timeline,
  commands,
  send,
  isBusy,
}: {
  execution: ExecutionDetail;
  timeline: Story;
  commands: readonly Command[];
  send: (command: Command) => void;
  isBusy: boolean;
}) {
  const { t } = useTranslation();
  const name = useName(execution);
  useTitle(`${t(`status.${execution.status}`)} · ${name}`);
  const isOpen = !isTerminal(execution.status);
  return (
    <>
      <Link
        to="/executions"
        className="mb-2 inline-flex items-center gap-1 self-start text-[13px] text-ink-soft hover:text-ink"
      >
        <ArrowLeft className="size-3.5" aria-hidden />
        {t("nav.executions")}
      </Link>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="min-w-0 truncate font-semibold text-xl tracking-tight">
          <Subject execution={execution} name={name} />
        </h1>
        <StatusBadge status={execution.status} />
        <div className="ml-auto flex flex-wrap gap-2">
          <Link
            to="/compare"
            search={{ a: execution.forked_from?.execution_id, b: execution.id }}
            className={buttonClass("quiet")}
          >
            <GitCompareArrows className="size-4" aria-hidden />
            {t("compare.action")}
          </Link>
          {commands.map((command) => (
            <Button
              key={command}
              icon={commandIcons[command]}
              disabled={isBusy}
              onClick={() => send(command)}
              className={clsx(command === "cancel" && "text-danger!")}
            >
              {t(`command.${command}`)}
            </Button>
          ))}
        </div>
      </div>
      <Facts execution={execution} timeline={timeline} />
      {isOpen && execution.started_at && (
        <Progress fraction={execution.progress.fraction} status={execution.status} className="mb-4" />
      )}
    </>
  );
}

function Subject({ execution, name }: { execution: ExecutionDetail; name: string }) {
  if (execution.execution_type === "agent_test" && execution.agent_id) {
    return (
      <Link to="/agents/$id" params={{ id: execution.agent_id }} className="hover:underline">
        {name}
      </Link>
    );
  }
  if (!execution.workflow_id) return <>{name}</>;
  return (
    <Link to="/workflows/$id" params={{ id: execution.workflow_id }} className="hover:underline">
      {name} <span className="font-normal text-ink-faint">{execution.workflow.version}</span>
    </Link>
  );
}

function Facts({ execution, timeline }: { execution: ExecutionDetail; timeline: Story }) {
  const { t } = useTranslation();
  const formats = useFormats();
  const { usage } = execution;
  const tokens = usage.input_tokens + usage.cached_input_tokens + usage.output_tokens + usage.reasoning_tokens;
  const origin = execution.forked_from?.execution_id ?? execution.parent_execution_id;
  return (
    <dl className="mb-4 flex flex-wrap gap-x-7 gap-y-3">
      <Fact name={t("fact.type")}>{t(`type.${execution.execution_type}`)}</Fact>
      <Fact name={t("fact.created")}>
        <Ago at={execution.created_at} />
      </Fact>
      {execution.created_by && (
        <Fact name={t("fact.by")}>
          <Owner execution={execution} />
        </Fact>
      )}
      <Fact name={t("fact.queued")}>
        {execution.started_at || isTerminal(execution.status) ? (
          formats.duration(execution.queued_ms)
        ) : (
          <Elapsed from={execution.created_at} />
        )}
      </Fact>
      {execution.started_at && (
        <Fact name={t("fact.duration")}>
          <Elapsed from={execution.started_at} to={execution.finished_at} />
        </Fact>
      )}
      {execution.wake_at && !isTerminal(execution.status) && (
        <Fact name={t("fact.wakes")}>{formats.time(execution.wake_at)}</Fact>
      )}
      {!isTerminal(execution.status) && execution.progress.known_tasks > 0 && (
        <Fact
          name={t("fact.tasks")}
        >{`${execution.progress.completed_tasks} / ${execution.progress.known_tasks}`}</Fact>
      )}
      {execution.restarts > 0 && (
        <Fact name={t("fact.restarts")}>
          <span className="inline-flex items-center gap-1.5">
            <ShieldCheck className="size-4 status-succeeded text-status" aria-hidden />
            {execution.recovered_in_ms != null
              ? t("fact.recovered", { count: execution.restarts, time: formats.duration(execution.recovered_in_ms) })
              : execution.restarts}
          </span>
        </Fact>
      )}
      {tokens > 0 && <Fact name={t("fact.tokens")}>{formats.compact(tokens)}</Fact>}
      {usage.cost_usd != null && usage.cost_usd > 0 && (
        <Fact name={t("fact.cost")}>{formats.dollars(usage.cost_usd)}</Fact>
      )}
      {execution.budget && <BudgetFact execution={execution} budget={execution.budget} timeline={timeline} />}
      {origin && (
        <Fact name={t(execution.forked_from ? "fact.origin" : "fact.parent")}>
          <Link
            to="/executions/$id"
            params={{ id: origin }}
            className="font-mono text-accent-text text-xs hover:underline"
          >
            {origin.slice(-8)}
          </Link>
        </Fact>
      )}
      {Object.entries(execution.labels).map(([label, value]) => (
        <Fact key={label} name={label}>
          {value}
        </Fact>
      ))}
      <Fact name={t("fact.id")}>
        <span className="-my-1 -ml-2 inline-flex">
          <Copy text={execution.id} label={execution.id.slice(-8)} />
        </span>
      </Fact>
    </dl>
  );
}

/** Who started it, as far as one may know them by name. */
function Owner({ execution }: { execution: ExecutionDetail }) {
  const { t } = useTranslation();
  const { ownerId } = useStanding();
  if (execution.created_by === ownerId) return t("fact.you");
  if (execution.created_by_name) return execution.created_by_name;
  return <span className="font-mono text-xs">{execution.created_by?.slice(-8)}</span>;
}

/** How much of the limit that is closest to its end is used. */
function BudgetFact(props: { execution: ExecutionDetail; budget: BudgetView; timeline: Story }) {
  const { t } = useTranslation();
  const formats = useFormats();
  const meters = useMeters(props.execution, props.budget, props.timeline);
  return (
    <Fact name={t("budget.title")}>
      <Link
        to="/executions/$id"
        params={{ id: props.execution.id }}
        search={{ tab: "usage" }}
        className="text-accent-text hover:underline"
      >
        {t("budget.used", { part: formats.percent(Math.max(0, ...meters.map(partOf))) })}
      </Link>
    </Fact>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-ink-faint text-xs">{name}</dt>
      <dd className="tabular truncate">{children}</dd>
    </div>
  );
}

function Failure({ execution }: { execution: ExecutionDetail }) {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const { error } = execution;
  if (!error) return null;
  const instance = error.instance;
  return (
    <Card role="alert" className="status-failed mb-4 border-status-solid/40! bg-status-tint! p-4 shadow-none!">
      <p className="font-semibold text-status">{error.title ?? t("execution.failed")}</p>
      {error.detail && <p className="mt-0.5 break-words">{error.detail}</p>}
      {error.suggestion && <p className="mt-1 text-ink-soft">{error.suggestion}</p>}
      {instance?.startsWith("/do/") && (
        <Button
          size="small"
          className="mt-2"
          onClick={() => void navigate({ search: { tab: "graph", task: instance }, replace: true })}
        >
          {t("execution.showTask")}
        </Button>
      )}
    </Card>
  );
}
