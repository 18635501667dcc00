// What an execution is, how it stands, and what can be asked of it. On small screens the facts and all but the first command fold.
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import {
  Ban,
  ChevronDown,
  CirclePause,
  Ellipsis,
  GitCompareArrows,
  type LucideIcon,
  Play,
  RefreshCw,
  RotateCcw,
  ShieldCheck,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { type Command, isTerminal } from "@/api/executions";
import type { BudgetView, ExecutionDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { BackLink } from "@/components/BackLink";
import { Button, buttonClass } from "@/components/Button";
import { headline } from "@/components/Card";
import { Copy } from "@/components/Copy";
import { Menu, MenuItem, MenuLink } from "@/components/Menu";
import { Progress } from "@/components/Progress";
import { StatusBadge } from "@/components/StatusBadge";
import { Ago, Elapsed, useMidnight } from "@/components/time";
import { useTitle } from "@/components/useTitle";
import { useMeters } from "@/features/budget/Asking";
import { partOf } from "@/features/budget/budget";
import { useName } from "@/features/executions/Name";
import { useFormats, useLanguage } from "@/i18n/language";
import type { Timeline as Story } from "./timeline";
import { useChildren } from "./useChildren";

const commandIcons: Record<Command, LucideIcon> = {
  cancel: Ban,
  pause: CirclePause,
  resume: Play,
  retry: RotateCcw,
  rerun: RefreshCw,
};

export function Head({
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
  const { t } = useLanguage();
  const name = useName(execution);
  useTitle(`${t(`status.${execution.status}`)} · ${name}`);
  const isOpen = !isTerminal(execution.status);
  return (
    <>
      <BackLink to="/executions">{t("nav.executions")}</BackLink>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className={clsx("min-w-0 truncate max-sm:w-full", headline)}>
          <Subject execution={execution} name={name} />
        </h1>
        <StatusBadge status={execution.status} />
        <Commands execution={execution} commands={commands} send={send} isBusy={isBusy} />
      </div>
      <Facts execution={execution} timeline={timeline} />
      {isOpen && execution.started_at && (
        <Progress fraction={execution.progress.fraction} status={execution.status} className="mb-4" />
      )}
    </>
  );
}

function Commands({
  execution,
  commands,
  send,
  isBusy,
}: {
  execution: ExecutionDetail;
  commands: readonly Command[];
  send: (command: Command) => void;
  isBusy: boolean;
}) {
  const { t } = useLanguage();
  const compared = { a: execution.forked_from?.execution_id, b: execution.id };
  return (
    <div className="ml-auto flex gap-2">
      <Link to="/compare" search={compared} className={clsx(buttonClass("quiet"), "max-sm:hidden")}>
        <GitCompareArrows className="size-4" aria-hidden />
        {t("compare.action")}
      </Link>
      {commands.map((command, index) => (
        <Button
          key={command}
          icon={commandIcons[command]}
          disabled={isBusy}
          title={t(`command.hint.${command}`)}
          onClick={() => send(command)}
          className={clsx(command === "cancel" && "text-danger!", index > 0 && "max-sm:hidden")}
        >
          {t(`command.${command}`)}
        </Button>
      ))}
      <Menu trigger={<Button icon={Ellipsis} aria-label={t("execution.more")} className="sm:hidden" />}>
        {commands.slice(1).map((command) => (
          <MenuItem
            key={command}
            icon={commandIcons[command]}
            isDangerous={command === "cancel"}
            onSelect={() => send(command)}
          >
            {t(`command.${command}`)}
          </MenuItem>
        ))}
        <MenuLink>
          <Link to="/compare" search={compared}>
            <GitCompareArrows className="size-4" aria-hidden />
            {t("compare.action")}
          </Link>
        </MenuLink>
      </Menu>
    </div>
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
  const { t } = useLanguage();
  const formats = useFormats();
  const { usage } = execution;
  const tokens = usage.input_tokens + usage.cached_input_tokens + usage.output_tokens + usage.reasoning_tokens;
  const origin = execution.forked_from?.execution_id ?? execution.parent_execution_id;
  const [isOpen, setOpen] = useState(false);
  const midnight = useMidnight();
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls="facts"
        onClick={() => setOpen(!isOpen)}
        className="-mx-1 mb-3 flex h-8 items-center gap-1.5 rounded-lg px-1 text-ink-soft text-[13px] sm:hidden"
      >
        <ChevronDown className={clsx("size-4 transition-transform", !isOpen && "-rotate-90")} aria-hidden />
        {t("fact.all")}
        <span className="text-ink-faint">
          <Ago at={execution.created_at} />
          {execution.started_at && (
            <>
              {" · "}
              <Elapsed from={execution.started_at} to={execution.finished_at} />
            </>
          )}
        </span>
      </button>
      <dl id="facts" className={clsx("mb-4 flex flex-wrap gap-x-7 gap-y-3", !isOpen && "max-sm:hidden")}>
        <Fact name={t("fact.type")}>{t(`type.${execution.execution_type}`)}</Fact>
        <Fact name={t("fact.created")}>
          <Ago at={execution.created_at} />
        </Fact>
        {execution.created_by && (
          <Fact name={t("fact.by")}>
            <Owner execution={execution} />
          </Fact>
        )}
        {execution.status === "pending" && execution.start_at && (
          <Fact name={t("fact.starts")}>{formats.soon(execution.start_at, midnight)}</Fact>
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
          <Fact name={t("fact.wakes")}>{formats.soon(execution.wake_at, midnight)}</Fact>
        )}
        {!isTerminal(execution.status) && execution.progress.known_tasks > 0 && (
          <Fact
            name={t("fact.tasks")}
          >{`${formats.number(execution.progress.completed_tasks)} / ${formats.number(execution.progress.known_tasks)}`}</Fact>
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
        <ChildrenFact execution={execution} timeline={timeline} />
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
    </>
  );
}

/** Who started it, as far as one may know them by name. */
function Owner({ execution }: { execution: ExecutionDetail }) {
  const { t } = useLanguage();
  const { ownerId } = useStanding();
  if (execution.created_by === ownerId) return t("fact.you");
  if (execution.created_by_name) return execution.created_by_name;
  return <span className="font-mono text-xs">{execution.created_by?.slice(-8)}</span>;
}

/** What it has started, with what has failed of that. */
function ChildrenFact({ execution, timeline }: { execution: ExecutionDetail; timeline: Story }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const children = useChildren(
    execution.id,
    timeline.instances.some((one) => one.childId),
  );
  if (!children || children.total === 0) return null;
  const { total, failed, isExact } = children;
  return (
    <Fact name={t("fact.children")}>
      <Link
        to="/executions"
        search={{ parent: execution.id }}
        className="text-accent-text hover:underline"
        title={t("fact.childrenHint")}
      >
        {isExact ? formats.number(total) : t("fact.atLeast", { shown: formats.number(total) })}
      </Link>
      {failed > 0 && (
        <>
          <span className="text-ink-faint"> · </span>
          <Link
            to="/executions"
            search={{ parent: execution.id, status: "failed" }}
            className="status-failed text-status hover:underline"
          >
            {t("fact.childrenFailed", { shown: formats.number(failed) })}
          </Link>
        </>
      )}
    </Fact>
  );
}

/** How much of the limit that is closest to its end is used. */
function BudgetFact(props: { execution: ExecutionDetail; budget: BudgetView; timeline: Story }) {
  const { t } = useLanguage();
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
