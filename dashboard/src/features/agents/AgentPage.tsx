import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { clsx } from "clsx";
import { FlaskConical, GitCompareArrows, Pencil, Play, RefreshCw, Trash2 } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { toast } from "sonner";
import { agentDetail, agentKeys, removeAgent, testAgent } from "@/api/agents";
import { executionList } from "@/api/executionLists";
import { executionDetail, isTerminal, type Row } from "@/api/executions";
import type { AgentView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { BackLink } from "@/components/BackLink";
import { Button, buttonClass } from "@/components/Button";
import { Card, CardHead, headline } from "@/components/Card";
import { Confirm } from "@/components/Dialog";
import { FailureView } from "@/components/FailureView";
import { ProblemPage } from "@/components/ProblemPage";
import { StatusBadge, StatusIcon } from "@/components/StatusBadge";
import { Empty, ProblemView, Skeleton, SkeletonPage, SkeletonPanel, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago, Elapsed } from "@/components/time";
import { useTitle } from "@/components/useTitle";
import { Answer } from "@/features/execution/OutputTab";
import { shortId } from "@/features/executions/Name";
import { useFormats, useLanguage } from "@/i18n/language";
import { useAgentDescription } from "@/i18n/words";
import { expectEnd } from "@/live/notices";
import { useEvents } from "@/live/useLive";
import { AgentDialog } from "./AgentDialog";
import { measure } from "./measured";

const route = getRouteApi("/pages/agents/$id");
const MAX_INPUT_CHARACTERS = 5_000;
const MAX_RECENT = 12;

export function AgentPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(agentDetail(id));
  if (error && !data) return <ProblemPage error={error} retry={() => void refetch()} to="/agents" back="nav.agents" />;
  if (!data) return <SkeletonPage />;
  return <Loaded key={id} agent={data} />;
}

function Loaded({ agent }: { agent: AgentView }) {
  const { t } = useLanguage();
  const { test } = route.useSearch();
  const { may } = useStanding();
  const tests = useQuery(executionList({ type: "agent_test", agent: agent.id }));
  const rows = useMemo(() => tests.data?.pages.flatMap((page) => page.items), [tests.data]);
  // Who comes back finds the newest test where it was left; one that somebody else begins does not take its place.
  const [first, setFirst] = useState<string>();
  const newest = rows?.[0]?.id;
  if (first === undefined && newest !== undefined) setFirst(newest);
  const shown = test ?? first;
  return (
    <>
      <BackLink to="/agents">{t("nav.agents")}</BackLink>
      <Head agent={agent} rows={tests.error ? (rows ?? []) : rows} />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_340px] 2xl:grid-cols-[minmax(0,1fr)_420px]">
        <div className="min-w-0 space-y-5">
          {may("agent_use") && <TestForm agent={agent} />}
          {shown && <TestResult key={shown} id={shown} />}
        </div>
        {/* Below the result where there is little room: it is not seen before the result has its place. */}
        <div className={clsx("space-y-5", !rows && !tests.error && "max-xl:invisible")}>
          <Recent rows={rows} shown={shown} error={tests.error} onRetry={() => void tests.refetch()} />
          <Settings agent={agent} />
        </div>
      </div>
    </>
  );
}

function Head({ agent, rows }: { agent: AgentView; rows: readonly Row[] | undefined }) {
  const { t } = useLanguage();
  const describe = useAgentDescription();
  const formats = useFormats();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { may } = useStanding();
  const [dialog, setDialog] = useState<"change" | "remove">();
  useTitle(agent.name);
  const measures = measure(rows ?? []);
  const remove = useMutation({
    mutationFn: () => removeAgent(agent.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: agentKeys.list }),
    onError: tellProblem,
  });
  return (
    <div className="mb-5 flex flex-wrap items-start gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-72">
        <h1 className={clsx("truncate", headline)}>
          {agent.name} <span className="font-mono font-normal text-ink-faint text-sm">{agent.slug}</span>
        </h1>
        <p className="text-ink-soft">{describe(agent)}</p>
      </div>
      {(!rows || measures.count > 0) && (
        <dl className="flex gap-6">
          <Fact name={t("agent.testCount")}>
            {rows ? formats.number(measures.count) : <Skeleton className="my-0.5 h-4 w-8" />}
          </Fact>
          {(!rows || measures.successRate !== undefined) && (
            <Fact name={t("figure.successRate")}>
              {measures.successRate === undefined ? (
                <Skeleton className="my-0.5 h-4 w-8" />
              ) : (
                formats.percent(measures.successRate)
              )}
            </Fact>
          )}
          {(!rows || measures.medianMs !== undefined) && (
            <Fact name={t("agent.median")}>
              {measures.medianMs === undefined ? (
                <Skeleton className="my-0.5 h-4 w-8" />
              ) : (
                formats.duration(measures.medianMs)
              )}
            </Fact>
          )}
        </dl>
      )}
      {!agent.is_system && may("agent_change", agent.created_by) && (
        <div className="flex gap-2">
          <Button icon={Pencil} onClick={() => setDialog("change")}>
            {t("agent.change")}
          </Button>
          <Button
            look="quiet"
            icon={Trash2}
            aria-label={t("agent.remove")}
            title={t("agent.remove")}
            onClick={() => setDialog("remove")}
          />
        </div>
      )}
      <AgentDialog agent={agent} isOpen={dialog === "change"} onClose={() => setDialog(undefined)} />
      <Confirm
        isOpen={dialog === "remove"}
        onClose={() => setDialog(undefined)}
        onConfirm={() => remove.mutate(undefined, { onSuccess: () => void navigate({ to: "/agents" }) })}
        title={t("agent.removeTitle", { name: agent.name })}
        text={t("agent.removeText")}
        action={t("agent.remove")}
        isBusy={remove.isPending}
      />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-ink-faint text-xs">{name}</dt>
      <dd className="tabular font-medium">{children}</dd>
    </div>
  );
}

function TestForm({ agent }: { agent: AgentView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const navigate = route.useNavigate();
  const [text, setText] = useState("");
  const test = useMutation({
    mutationFn: () => testAgent(agent.id, text),
    onSuccess({ execution_id: id }) {
      expectEnd(id);
      toast.success(t("agent.testStarted"), { description: t("agent.mayLeave") });
    },
  });
  const run = () =>
    test.mutate(undefined, {
      // Not when one has left meanwhile.
      onSuccess: ({ execution_id: id }) => void navigate({ search: { test: id }, replace: true }),
    });
  const length = [...text].length;
  const isTooLong = length > MAX_INPUT_CHARACTERS;
  const isReady = text.trim() !== "" && !isTooLong && agent.is_active && !test.isPending;
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("agent.test")} />
      <form
        className="p-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) run();
        }}
      >
        <textarea
          aria-label={t("agent.input")}
          placeholder={t("agent.inputHint")}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && isReady) run();
          }}
          rows={5}
          aria-invalid={isTooLong}
          aria-describedby="input-length"
          className="field h-auto w-full resize-y py-2"
        />
        <div className="mt-2 flex items-center gap-3">
          <span
            id="input-length"
            className={clsx("tabular text-xs", isTooLong ? "font-medium text-danger" : "text-ink-faint")}
          >
            {`${formats.number(length)} / ${formats.number(MAX_INPUT_CHARACTERS)}`}
          </span>
          <Button
            type="submit"
            look="primary"
            icon={Play}
            className="ml-auto"
            disabled={!isReady}
            isBusy={test.isPending}
          >
            {t("run.run")}
          </Button>
        </div>
        {!agent.is_active && <p className="mt-2 text-ink-soft">{t("agent.offHint")}</p>}
        {test.error && <ProblemView error={test.error} className="mt-3" />}
      </form>
    </Card>
  );
}

function TestResult({ id }: { id: string }) {
  const { t } = useLanguage();
  const navigate = route.useNavigate();
  const { may } = useStanding();
  const { data, error, refetch } = useQuery(executionDetail(id));
  // Watching brings the output while it is being produced.
  useEvents(id);
  const again = useMutation({
    mutationFn: () => testAgent(data?.agent_id ?? "", data?.test_input ?? ""),
    onSuccess({ execution_id }) {
      expectEnd(execution_id);
      toast.success(t("agent.testStarted"));
    },
    onError: tellProblem,
  });
  const repeat = () =>
    again.mutate(undefined, {
      onSuccess: ({ execution_id: test }) => void navigate({ search: { test }, replace: true }),
    });
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonPanel className="h-40" />;
  return (
    <Card className="overflow-hidden">
      <CardHead
        title={
          <span className="flex items-center gap-2.5">
            {t("agent.result")}
            <StatusBadge status={data.status} />
            {data.started_at && (
              <span className="font-normal text-[13px] text-ink-soft">
                <Elapsed from={data.started_at} to={data.finished_at} />
              </span>
            )}
          </span>
        }
      >
        {isTerminal(data.status) && may("agent_use") && (
          <Button size="small" icon={RefreshCw} isBusy={again.isPending} onClick={repeat}>
            {t("agent.again")}
          </Button>
        )}
        <Link to="/executions/$id" params={{ id }} className={buttonClass("quiet", "small")}>
          {t("action.open")}
        </Link>
      </CardHead>
      <div className="space-y-3 p-4">
        <blockquote className="line-clamp-4 whitespace-pre-wrap break-words border-line-strong border-l-2 pl-3 text-ink-soft">
          {data.test_input}
        </blockquote>
        {data.error ? <FailureView failure={data.error} /> : <Answer execution={data} />}
      </div>
    </Card>
  );
}

function Recent({
  rows,
  shown,
  error,
  onRetry,
}: {
  rows: readonly Row[] | undefined;
  shown?: string;
  error: Error | null;
  onRetry: () => void;
}) {
  const { t } = useLanguage();
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("agent.recent")} />
      {error && !rows ? (
        <ProblemView error={error} retry={onRetry} className="m-4" />
      ) : !rows ? (
        <SkeletonRows count={3} look="lines" />
      ) : rows.length === 0 ? (
        <Empty icon={FlaskConical} title={t("agent.untested")}>
          {t("agent.untestedHint")}
        </Empty>
      ) : (
        <ul className="divide-y">
          {rows.slice(0, MAX_RECENT).map((row) => (
            <li
              key={row.id}
              className={clsx(
                "relative flex min-h-11 items-center gap-2.5 px-4",
                row.id === shown ? "bg-accent-soft" : "hover:bg-sunken",
              )}
            >
              <StatusIcon status={row.status} />
              <span className="sr-only">{t(`status.${row.status}`)}</span>
              <Link
                from="/agents/$id"
                to="/agents/$id"
                params={(old) => old}
                search={{ test: row.id }}
                className="covers font-mono text-xs"
              >
                {shortId(row.id)}
              </Link>
              <span className="text-ink-soft text-xs">
                {row.started_at && <Elapsed from={row.started_at} to={row.finished_at} />}
              </span>
              <span className="ml-auto text-ink-faint text-xs">
                <Ago at={row.created_at} />
              </span>
              {shown && row.id !== shown && (
                <Link
                  to="/compare"
                  search={{ a: row.id, b: shown }}
                  aria-label={t("agent.compareWith", { id: shortId(row.id) })}
                  title={t("compare.action")}
                  className={`${buttonClass("quiet", "small", true)} relative z-10`}
                >
                  <GitCompareArrows className="size-4" aria-hidden />
                </Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Settings({ agent }: { agent: AgentView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const skills = Object.entries(agent.capabilities);
  const parameters = Object.keys(agent.parameters).length > 0;
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("agent.settings")} />
      <dl className="space-y-3 p-4">
        <Fact name={t("agent.adapter")}>{t(`adapter.${agent.adapter}`)}</Fact>
        {agent.model && <Fact name={t("agent.model")}>{agent.model}</Fact>}
        {agent.system_prompt && (
          <Fact name={t("agent.prompt")}>
            <span className="whitespace-pre-wrap font-normal">{agent.system_prompt}</span>
          </Fact>
        )}
        {parameters && (
          <Fact name={t("agent.parameters")}>
            <pre className="overflow-auto whitespace-pre-wrap break-words font-mono font-normal text-[13px]">
              {JSON.stringify(agent.parameters, null, 2)}
            </pre>
          </Fact>
        )}
        {skills.length > 0 && (
          <Fact name={t("agent.skills")}>
            <span className="font-normal">
              {skills.map(([skill, level]) => `${skill} ${formats.percent(level)}`).join(" · ")}
            </span>
          </Fact>
        )}
      </dl>
    </Card>
  );
}
