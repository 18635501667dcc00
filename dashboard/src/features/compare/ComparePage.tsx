import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ArrowLeftRight, ChevronRight, Equal, GitCompareArrows } from "lucide-react";
import { type ReactNode, useState } from "react";
import { executionList } from "@/api/executionLists";
import { executionDetail, executionDiff } from "@/api/executions";
import type { DiffSide, ExecutionDiff, Failure, TaskDiff } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Card, CardHead, PageHead } from "@/components/Card";
import { Diff } from "@/components/Diff";
import { JsonView } from "@/components/JsonView";
import { StatusBadge, StatusIcon } from "@/components/StatusBadge";
import { Empty, ProblemView, Skeleton, SkeletonPanel } from "@/components/states";
import { Ago } from "@/components/time";
import { Name, shortId } from "@/features/executions/Name";
import { useFormats, useLanguage } from "@/i18n/language";
import { useServiceWords } from "@/i18n/words";
import { asText } from "./compare";

const route = getRouteApi("/pages/compare");

export function ComparePage() {
  const { t } = useLanguage();
  const { a, b } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <PageHead title={t("compare.title")} lead={t("compare.lead")}>
        {a && b && (
          <Button
            icon={ArrowLeftRight}
            onClick={() => void navigate({ search: (old) => ({ ...old, a: b, b: a }), replace: true })}
          >
            {t("compare.swap")}
          </Button>
        )}
      </PageHead>
      <div className="mb-5 grid gap-4 md:grid-cols-2">
        <Side name="a" id={a} other={b} />
        <Side name="b" id={b} other={a} />
      </div>
      {a && b ? (
        <Both key={a + b} a={a} b={b} />
      ) : (
        <Card>
          <Empty icon={GitCompareArrows} title={t("compare.choose")}>
            {t("compare.chooseHint")}
          </Empty>
        </Card>
      )}
    </>
  );
}

/** One side: which execution it is, and others of its kind to take instead. */
function Side({ name, id, other }: { name: "a" | "b"; id?: string; other?: string }) {
  const { t } = useLanguage();
  const navigate = route.useNavigate();
  const own = useQuery({ ...executionDetail(id ?? ""), enabled: id !== undefined });
  const otherDetail = useQuery({ ...executionDetail(other ?? ""), enabled: other !== undefined });
  const like = own.data ?? otherDetail.data;
  const filter =
    like &&
    (like.agent_id ? { agent: like.agent_id } : { workflow: `${like.workflow.namespace}/${like.workflow.name}` });
  const choices = useQuery(executionList(filter ?? {}));
  const rows = choices.data?.pages[0]?.items ?? [];
  return (
    <Card className="p-4">
      <label className="block">
        <span className="text-ink-faint text-xs">{t(`compare.${name}`)}</span>
        <select
          value={id ?? ""}
          onChange={(event) =>
            void navigate({ search: (old) => ({ ...old, [name]: event.target.value || undefined }), replace: true })
          }
          className="field mt-1 w-full"
        >
          <option value="">{t("compare.pick")}</option>
          {id && !rows.some((row) => row.id === id) && <option value={id}>{shortId(id)}</option>}
          {rows.map((row) => (
            <option key={row.id} value={row.id} disabled={row.id === other}>
              {`${shortId(row.id)} · ${row.workflow.namespace}/${row.workflow.name} · ${t(`status.${row.status}`)}`}
            </option>
          ))}
        </select>
      </label>
      {own.error && <ProblemView error={own.error} retry={() => void own.refetch()} className="mt-3" />}
      {choices.error && !choices.data && !own.error && (
        <ProblemView error={choices.error} retry={() => void choices.refetch()} className="mt-3" />
      )}
      {id && own.isPending && <Skeleton className="mt-3 h-[22px] w-64 max-w-full" />}
      {own.data && (
        <div className="mt-3 flex items-center gap-2.5">
          <StatusBadge status={own.data.status} />
          <Link
            to="/executions/$id"
            params={{ id: own.data.id }}
            className="min-w-0 truncate font-medium hover:underline"
          >
            <Name row={own.data} />
          </Link>
          <span className="ml-auto shrink-0 text-ink-faint text-xs">
            <Ago at={own.data.created_at} />
          </span>
        </div>
      )}
    </Card>
  );
}

function Both({ a, b }: { a: string; b: string }) {
  const { data: diff, error, refetch } = useQuery(executionDiff(a, b));
  if (error && !diff) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!diff) return <SkeletonPanel className="h-64" />;
  return (
    <div className="space-y-5">
      <Numbers a={diff.a} b={diff.b} />
      <Tasks tasks={diff.tasks} />
      <Texts diff={diff} />
    </div>
  );
}

function tokens({ usage }: DiffSide): number {
  return usage.input_tokens + usage.cached_input_tokens + usage.output_tokens + usage.reasoning_tokens;
}

function Numbers({ a, b }: { a: DiffSide; b: DiffSide }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const rows: [string, number | null | undefined, number | null | undefined, (value: number) => string][] = [
    [t("fact.duration"), a.execution.run_ms, b.execution.run_ms, formats.duration],
    [t("fact.queued"), a.execution.queued_ms, b.execution.queued_ms, formats.duration],
    [t("compare.tasks"), a.execution.progress.completed_tasks, b.execution.progress.completed_tasks, formats.number],
    [t("fact.restarts"), a.execution.restarts, b.execution.restarts, formats.number],
    [t("fact.tokens"), tokens(a), tokens(b), formats.number],
    [t("fact.cost"), a.usage.cost_usd, b.usage.cost_usd, formats.dollars],
  ];
  return (
    <Card className="overflow-x-auto">
      <table className="tabular w-full min-w-[420px] text-left">
        <thead className="border-b bg-sunken text-ink-soft text-xs">
          <tr className="h-9 [&>th]:px-4 [&>th]:font-medium">
            <th>{t("compare.numbers")}</th>
            <th className="text-right">A</th>
            <th className="text-right">B</th>
            <th className="text-right">{t("compare.difference")}</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {rows
            .filter(([, one, other]) => one != null || other != null)
            .map(([name, one, other, show]) => {
              const change = one != null && other != null ? other - one : undefined;
              return (
                <tr key={name} className="h-10 [&>td]:whitespace-nowrap [&>td]:px-4">
                  <td className="text-ink-soft">{name}</td>
                  <td className="text-right">{one == null ? "–" : show(one)}</td>
                  <td className="text-right">{other == null ? "–" : show(other)}</td>
                  <td className={clsx("text-right", change ? "font-medium" : "text-ink-faint")}>
                    {change === undefined
                      ? "–"
                      : change === 0
                        ? "="
                        : `${change > 0 ? "+" : "−"}${show(Math.abs(change))}`}
                  </td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </Card>
  );
}

function Tasks({ tasks }: { tasks: readonly TaskDiff[] }) {
  const { t } = useLanguage();
  const hidesSame = route.useSearch().tasks === "different";
  const navigate = route.useNavigate();
  const shown = hidesSame ? tasks.filter((task) => !task.is_same) : tasks;
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("compare.byTask")}>
        <label className="flex cursor-pointer items-center gap-2 text-[13px]">
          <input
            type="checkbox"
            checked={hidesSame}
            onChange={({ target: { checked } }) =>
              void navigate({ search: (old) => ({ ...old, tasks: checked ? "different" : undefined }), replace: true })
            }
            className="size-4 accent-[var(--accent)]"
          />
          {t("compare.onlyDifferent")}
        </label>
      </CardHead>
      {shown.length === 0 ? (
        <Empty icon={Equal} title={t("compare.allSame")} />
      ) : (
        <>
          <div aria-hidden className={clsx(columns, "h-9 border-b bg-sunken font-medium text-ink-soft text-xs")}>
            <span className="col-start-2">{t("executions.name")}</span>
            <span>A</span>
            <span>B</span>
          </div>
          <ul className="max-h-[60vh] divide-y overflow-auto">
            {shown.map((task) => (
              <TaskLine key={task.path} task={task} />
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

/** The same for the heads and the lines. */
const columns =
  "grid grid-cols-[16px_minmax(0,1fr)_110px_110px_20px] items-center gap-3 px-4 max-sm:grid-cols-[16px_minmax(0,1fr)_76px_76px]";

function TaskLine({ task }: { task: TaskDiff }) {
  const { t } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className={clsx(columns, "min-h-10 w-full py-2 text-left hover:bg-sunken")}
      >
        <ChevronRight
          className={clsx("size-4 text-ink-faint transition-transform", isOpen && "rotate-90")}
          aria-hidden
        />
        <span className="truncate">
          <span className="font-medium">{task.name}</span>{" "}
          <span className="font-mono text-ink-faint text-xs">{task.path}</span>
        </span>
        <Half task={task.a} />
        <Half task={task.b} />
        <span className="max-sm:hidden">
          {task.is_same && <Equal className="size-4 text-ink-faint" aria-label={t("diff.same")} />}
        </span>
      </button>
      {isOpen && (
        <div className="px-4 pt-1 pb-4 sm:pl-11">
          <Outcomes task={task} />
        </div>
      )}
    </li>
  );
}

/** What came of a task in both. */
function Outcomes({ task }: { task: TaskDiff }) {
  const { t } = useLanguage();
  const say = useServiceWords();
  const formats = useFormats();
  const outcome = (one: TaskDiff["a"]): unknown => (one?.status === "failed" ? said(one.error, say) : one?.output);
  if (!task.a || !task.b) {
    const only = outcome(task.a ?? task.b);
    return (
      <div className="space-y-2">
        <p className="text-ink-soft">{t("compare.onlyIn", { side: task.a ? "A" : "B" })}</p>
        {only !== undefined && <JsonView value={only} name={task.name} />}
      </div>
    );
  }
  if (task.a?.output_seq || task.b?.output_seq) {
    return <p className="text-ink-soft">{t(task.is_same ? "diff.same" : "compare.large")}</p>;
  }
  const usage = [task.a?.usage, task.b?.usage];
  return (
    <div className="space-y-2">
      <Diff before={asText(outcome(task.a))} after={asText(outcome(task.b))} />
      {usage.some(Boolean) && (
        <p className="text-ink-soft text-xs">
          {`${t("fact.tokens")}: ${usage.map((one) => (one ? formats.number(one.tokens) : "–")).join(" → ")}`}
        </p>
      )}
    </div>
  );
}

/** A failure as the reader would read it. */
function said(failure: Failure | null | undefined, say: (sentence: string) => string): Failure | undefined {
  if (!failure) return undefined;
  const { title, suggestion } = failure;
  return { ...failure, title: title && say(title), suggestion: suggestion && say(suggestion) };
}

function Half({ task }: { task?: TaskDiff["a"] }) {
  const { t } = useLanguage();
  const formats = useFormats();
  if (!task) return <span className="text-ink-faint text-xs">{t("compare.absent")}</span>;
  return (
    <span className="tabular flex items-center gap-1.5 text-ink-soft text-xs">
      <StatusIcon status={task.status} className="size-3.5" />
      <span className="sr-only">{t(`status.${task.status}`)}</span>
      {task.finished_at ? formats.duration(task.run_ms) : "…"}
    </span>
  );
}

function Texts({ diff: { a, b, same } }: { diff: ExecutionDiff }) {
  const { t } = useLanguage();
  const say = useServiceWords();
  const [one, other] = [a.execution, b.execution];
  return (
    <>
      <Part title={t("output.input")}>
        <Diff before={asText(one.test_input ?? one.input)} after={asText(other.test_input ?? other.input)} />
      </Part>
      <Part title={t("output.output")}>
        <Diff
          before={asText(one.output ?? said(one.error, say))}
          after={asText(other.output ?? said(other.error, say))}
        />
      </Part>
      <Part title={t("compare.definition")}>
        {same.definition ? (
          <p className="text-ink-soft">{t("diff.same")}</p>
        ) : (
          <Diff before={a.definition ?? ""} after={b.definition ?? ""} />
        )}
      </Part>
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card className="overflow-hidden">
      <CardHead title={title} />
      <div className="p-4">{children}</div>
    </Card>
  );
}
