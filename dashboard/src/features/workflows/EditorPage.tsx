import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useBlocker, useNavigate } from "@tanstack/react-router";
import { BookOpen, CircleAlert, CircleCheck, LoaderCircle, Save, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { toast } from "sonner";
import { parse } from "yaml";
import { agentList } from "@/api/agents";
import type { FieldError, Validation } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { registerWorkflow, validation, workflowDetail, workflowKeys } from "@/api/workflows";
import { Advice } from "@/components/Advice";
import { BackLink } from "@/components/BackLink";
import { Button } from "@/components/Button";
import { Card, headline } from "@/components/Card";
import { Confirm } from "@/components/Dialog";
import { Menu, MenuItem, MenuLine } from "@/components/Menu";
import { ProblemPage } from "@/components/ProblemPage";
import { ProblemView, SkeletonPage, SkeletonPanel } from "@/components/states";
import { useTitle } from "@/components/useTitle";
import { modelOf, type TaskNode } from "@/features/execution-graph/model";
import { useLanguage } from "@/i18n/language";
import { DEFINITION, useServiceWords } from "@/i18n/words";
import { whenThere } from "@/parts";
import { exampleNamed, examples } from "./examples";
import { nextVersion } from "./version";

const Graph = lazy(whenThere(() => import("@/features/execution-graph/Graph")));
const Editor = lazy(whenThere(() => import("./Editor")));
const route = getRouteApi("/pages/workflows/new");

const BEGINNING = `document:
  dsl: '1.0.3'
  namespace: my
  name: first-workflow
  version: '1.0.0'
  title: What it is for
input:
  schema:
    document:
      type: object
      properties:
        name: { type: string, title: Name, default: world }
do:
  - greet:
      set:
        message: \${ "Hello, " + .name + "!" }
`;

export function EditorPage() {
  const { from, example } = route.useSearch();
  const { data, error, refetch } = useQuery({ ...workflowDetail(from ?? ""), enabled: from !== undefined });
  if (error && !data)
    return <ProblemPage error={error} retry={() => void refetch()} to="/workflows" back="nav.workflows" />;
  if (from && !data) return <SkeletonPage />;
  const beginning = data ? nextVersion(data.source, data.version) : (exampleNamed(example)?.text ?? BEGINNING);
  return <Written key={from ?? example} beginning={beginning} hasChoice={!from} />;
}

/** Checked when one stops typing. */
const TYPING_PAUSE_MS = 350;

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** The tasks of the text as it is; of the last text that could be read, while it cannot. */
function useTasks(text: string): TaskNode[] {
  const last = useRef<TaskNode[]>([]);
  return useMemo(() => {
    try {
      last.current = modelOf(parse(text, { logLevel: "silent" }));
    } catch {
      // It is being written.
    }
    return last.current;
  }, [text]);
}

/** Those that a workflow can call. */
function useAgentNames(): string[] {
  const { data } = useQuery(agentList);
  return useMemo(() => (data ?? []).filter((agent) => agent.is_active).map((agent) => agent.slug), [data]);
}

/** What a new workflow begins with. */
function Beginnings() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const begin = (example?: string) => void navigate({ to: "/workflows/new", search: { example } });
  return (
    <Menu
      trigger={
        <Button look="quiet" icon={BookOpen}>
          {t("editor.examples")}
        </Button>
      }
    >
      <MenuItem onSelect={() => begin()}>{t("editor.beginning")}</MenuItem>
      <MenuLine />
      {examples.map((example) => (
        <MenuItem key={example.name} onSelect={() => begin(example.name)}>
          {example.title}
        </MenuItem>
      ))}
    </Menu>
  );
}

function Written({ beginning, hasChoice }: { beginning: string; hasChoice: boolean }) {
  const { t } = useLanguage();
  const say = useServiceWords(DEFINITION);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [text, setText] = useState(beginning);
  const agents = useAgentNames();
  const { may } = useStanding();
  const [goTo, setGoTo] = useState<{ line: number; column: number }>();
  useTitle(t("workflow.new"));
  const settled = useSettled(text);
  const checked = useQuery({
    ...validation(settled),
    placeholderData: keepPreviousData,
    enabled: settled.trim() !== "",
  });
  const tasks = useTasks(useDeferredValue(settled));
  const isSaved = useRef(false);
  const register = useMutation({
    mutationFn: () => registerWorkflow(text),
    onSuccess(registered) {
      isSaved.current = true;
      toast.success(t("editor.registered", { version: registered.version }));
      void queries.invalidateQueries({ queryKey: workflowKeys.all });
    },
  });
  const save = () =>
    register.mutate(undefined, {
      onSuccess: ({ id }) => void navigate({ to: "/workflows/$id", params: { id } }),
    });
  const isCurrent = settled === text && !checked.isPlaceholderData && checked.data !== undefined;
  const leaving = useBlocker({
    shouldBlockFn: () => text !== beginning && !isSaved.current,
    withResolver: true,
    enableBeforeUnload: () => text !== beginning && !isSaved.current,
  });
  const problems = useMemo(() => checked.data?.problems.map((problem) => said(problem, say)), [checked.data, say]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <BackLink to="/workflows">{t("nav.workflows")}</BackLink>
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <h1 className={headline}>{t("workflow.new")}</h1>
        {!checked.error && <Verdict isCurrent={isCurrent} validation={checked.data} />}
        <div className="ml-auto flex gap-2">
          {hasChoice && <Beginnings />}
          <Button
            look="primary"
            icon={Save}
            isBusy={register.isPending}
            disabled={!may("workflow_register") || !isCurrent || !checked.data?.is_valid}
            onClick={save}
          >
            {t("editor.register")}
          </Button>
        </div>
      </div>
      {register.error && <ProblemView error={register.error} className="mb-4" />}
      {checked.error && !checked.data && (
        <ProblemView error={checked.error} retry={() => void checked.refetch()} className="mb-4" />
      )}
      <Suspense fallback={<SkeletonPanel className="min-h-[560px] flex-1" />}>
        <div className="grid min-h-[560px] flex-1 gap-4 lg:grid-cols-2">
          <Card className="flex min-h-[420px] flex-col overflow-hidden">
            <div className="relative min-h-0 flex-1">
              <div className="absolute inset-0">
                <Editor
                  text={text}
                  problems={isCurrent ? problems : undefined}
                  goTo={goTo}
                  onChange={setText}
                  agents={agents}
                />
              </div>
            </div>
            {problems && problems.length > 0 && (
              <Problems
                problems={problems}
                onOpen={(problem) => setGoTo({ line: problem.line ?? 1, column: problem.column ?? 1 })}
              />
            )}
          </Card>
          <Card className="relative min-h-[360px] overflow-hidden">
            <div className="absolute inset-0">
              <Graph tasks={tasks} />
            </div>
          </Card>
        </div>
      </Suspense>
      <Confirm
        isOpen={leaving.status === "blocked"}
        onClose={() => leaving.status === "blocked" && leaving.reset()}
        onConfirm={() => leaving.status === "blocked" && leaving.proceed()}
        title={t("editor.leaveTitle")}
        text={t("editor.leaveText")}
        action={t("editor.leave")}
      />
    </div>
  );
}

/** A problem of a definition as the reader would read it. */
function said(problem: FieldError, say: (sentence: string) => string): FieldError {
  return { ...problem, detail: say(problem.detail), suggestion: problem.suggestion && say(problem.suggestion) };
}

function Verdict({ isCurrent, validation: found }: { isCurrent: boolean; validation?: Validation }) {
  const { t } = useLanguage();
  const base = "inline-flex items-center gap-1.5 text-[13px]";
  if (!isCurrent || !found) {
    return (
      <span role="status" className={`${base} text-ink-faint`}>
        <LoaderCircle className="size-4 animate-spin" aria-hidden />
        {t("editor.checking")}
      </span>
    );
  }
  const errors = found.problems.filter((problem) => problem.severity !== "warning").length;
  return found.is_valid ? (
    <span role="status" className={`${base} status-succeeded text-status`}>
      <CircleCheck className="size-4" aria-hidden />
      {t("editor.valid")}
    </span>
  ) : (
    <span role="status" className={`${base} status-failed text-status`}>
      <CircleAlert className="size-4" aria-hidden />
      {t("editor.problems", { count: errors })}
    </span>
  );
}

function Problems({ problems, onOpen }: { problems: readonly FieldError[]; onOpen: (problem: FieldError) => void }) {
  const { t } = useLanguage();
  return (
    <section aria-label={t("editor.problemList")} className="max-h-44 shrink-0 overflow-auto border-t bg-sunken">
      <ul>
        {problems.map((problem, index) => {
          const isWarning = problem.severity === "warning";
          const Icon = isWarning ? TriangleAlert : CircleAlert;
          return (
            <li key={index} className={isWarning ? "status-paused" : "status-failed"}>
              <button
                type="button"
                onClick={() => onOpen(problem)}
                className="flex w-full items-start gap-2 px-3 py-1.5 text-left text-[13px] hover:bg-line/60"
              >
                <Icon
                  className="mt-0.5 size-4 shrink-0 text-status"
                  aria-label={t(isWarning ? "editor.warning" : "editor.error")}
                />
                <span className="min-w-0 flex-1">
                  {problem.detail}
                  <Advice text={problem.suggestion} />
                </span>
                {problem.line != null && (
                  <span className="tabular shrink-0 text-ink-faint">{`${problem.line}:${problem.column ?? 1}`}</span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
