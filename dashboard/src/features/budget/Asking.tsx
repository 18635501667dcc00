// A limit has paused an execution: why, how it stands, and the answer of a person.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ban, HandCoins, Play } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { approveBudget, type Command, executionKeys } from "@/api/executions";
import type { Bound, BudgetView, ExecutionDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { sentence } from "@/components/sentence";
import { ProblemView } from "@/components/states";
import { Ago, useNow } from "@/components/time";
import { StillRunning } from "@/features/execution/Paused";
import type { Timeline } from "@/features/execution/timeline";
import { useLanguage } from "@/i18n/language";
import { useServiceWords } from "@/i18n/words";
import { changed, isOfMonth, limitNames, limitsOf, metersOf, proposal, wallSecondsOf } from "./budget";
import { LimitFields } from "./LimitFields";
import { Meters } from "./Meters";

export function Asking({
  execution,
  timeline,
  onCommand,
}: {
  execution: ExecutionDetail;
  timeline: Timeline;
  onCommand: (command: Command) => void;
}) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const say = useServiceWords();
  const { budget, pause_limit: bound } = execution;
  const maySteer = may("execution_steer", execution.created_by);
  const pause = timeline.pauses.at(-1);
  return (
    <Card aria-labelledby="asking" className="status-paused mb-4 overflow-hidden border-status-solid/40! shadow-none!">
      <div className="flex gap-3 bg-status-tint p-4">
        <HandCoins className="mt-0.5 size-5 shrink-0 text-status" aria-hidden />
        <div className="min-w-0">
          <h2 id="asking" className="font-semibold text-status">
            {t("budget.paused", { reason: t(bound ? `budget.bound.${bound}` : "budget.bound.unknown") })}
            {pause && (
              <span className="font-normal text-ink-soft">
                {" · "}
                <Ago at={new Date(pause.from).toISOString()} />
              </span>
            )}
          </h2>
          <p className="break-words">{execution.pause_reason && sentence(say(execution.pause_reason))}</p>
          <StillRunning timeline={timeline} />
          {isOfMonth(bound) && (
            <p className="mt-1 text-ink-soft">
              {t("budget.monthHint")}{" "}
              {may("tenant_write") && (
                <Link to="/admin/$section" params={{ section: "tenants" }} className="text-accent-text underline">
                  {t("budget.toLimits")}
                </Link>
              )}
            </p>
          )}
          {!maySteer && <p className="mt-1 text-ink-soft">{t("budget.notYours")}</p>}
        </div>
      </div>
      {budget && <Standing execution={execution} budget={budget} timeline={timeline} />}
      {maySteer && !isOfMonth(bound) && budget && (
        <Answer execution={execution} budget={budget} bound={bound} onCommand={onCommand} />
      )}
    </Card>
  );
}

function Standing({
  execution,
  budget,
  timeline,
}: {
  execution: ExecutionDetail;
  budget: BudgetView;
  timeline: Timeline;
}) {
  const { t } = useLanguage();
  const meters = useMeters(execution, budget, timeline);
  if (meters.length === 0) return null;
  return (
    <div className="space-y-2 border-t p-4">
      <Meters meters={meters} />
      {budget.root_execution_id !== execution.id && (
        <p className="text-[13px] text-ink-soft">
          {t("budget.shared")}{" "}
          <Link
            to="/executions/$id"
            params={{ id: budget.root_execution_id }}
            className="font-mono text-accent-text text-xs underline"
          >
            {budget.root_execution_id.slice(-8)}
          </Link>
        </p>
      )}
    </div>
  );
}

/** The time that is used is known of the execution that one looks at, and no other. */
export function useMeters(execution: ExecutionDetail, budget: BudgetView, timeline: Timeline) {
  const now = useNow();
  const isOwn = budget.root_execution_id === execution.id;
  return metersOf(budget, isOwn ? wallSecondsOf(timeline, now) : undefined);
}

function Answer({
  execution,
  budget,
  bound,
  onCommand,
}: {
  execution: ExecutionDetail;
  budget: BudgetView;
  bound: Bound | null | undefined;
  onCommand: (command: Command) => void;
}) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  // What is proposed follows the limit in the way until somebody types.
  const [typed, setTyped] = useState<ReturnType<typeof proposal>>();
  const texts = typed ?? proposal(budget.limits, bound);
  const { limits, wrong } = limitsOf(texts);
  const change = changed(limits, budget.limits);
  const approve = useMutation({
    mutationFn: () => approveBudget(execution.id, change),
    onSuccess() {
      toast.success(t("budget.approved"));
      setTyped(undefined);
      void queries.invalidateQueries({ queryKey: executionKeys.detail(execution.id) });
    },
  });
  const names = limitNames.filter((name) => budget.limits[name] != null);
  return (
    <form
      noValidate
      className="space-y-4 border-t p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong.length === 0 && Object.keys(change).length > 0) approve.mutate();
      }}
    >
      <p className="text-ink-soft">{t("budget.raise")}</p>
      <LimitFields names={names} texts={texts} wrong={wrong} onChange={setTyped} />
      {approve.error && <ProblemView error={approve.error} />}
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          look="primary"
          icon={Play}
          isBusy={approve.isPending}
          disabled={wrong.length > 0 || Object.keys(change).length === 0}
        >
          {t("budget.approve")}
        </Button>
        <Button icon={Ban} className="text-danger!" onClick={() => onCommand("cancel")}>
          {t("execution.cancel")}
        </Button>
      </div>
    </form>
  );
}
