import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Archive, ArchiveRestore, FilePen, Play } from "lucide-react";
import { lazy, useMemo } from "react";
import { toast } from "sonner";
import type { WorkflowDetail } from "@/api/generated/schema";
import { useSeesOthers, useStanding } from "@/api/me";
import { archiveWorkflow, fullName, workflowDetail, workflowKeys, workflowVersions } from "@/api/workflows";
import { BackLink } from "@/components/BackLink";
import { Button, buttonClass } from "@/components/Button";
import { Card, headline } from "@/components/Card";
import { ProblemPage } from "@/components/ProblemPage";
import { Empty, ProblemView, SkeletonPage, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { tellProblem } from "@/components/tellProblem";
import { Ago } from "@/components/time";
import { useTitle } from "@/components/useTitle";
import { modelOf } from "@/features/execution-graph/model";
import { ExecutionTable } from "@/features/executions/ExecutionTable";
import { useExecutionRows } from "@/features/executions/useExecutionRows";
import { useLanguage } from "@/i18n/language";
import { whenThere } from "@/parts";
import { workflowTabs } from "@/routes/workflow";
import { Preflight } from "./Preflight";
import { RunDialog } from "./RunDialog";

const Graph = lazy(whenThere(() => import("@/features/execution-graph/Graph")));
const Editor = lazy(whenThere(() => import("./Editor")));
const Versions = lazy(whenThere(() => import("./Versions")));
const route = getRouteApi("/pages/workflows/$id");

export function WorkflowPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(workflowDetail(id));
  if (error && !data)
    return <ProblemPage error={error} retry={() => void refetch()} to="/workflows" back="nav.workflows" />;
  if (!data) return <SkeletonPage />;
  return <Loaded key={id} workflow={data} />;
}

function Loaded({ workflow }: { workflow: WorkflowDetail }) {
  const { t } = useLanguage();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { may } = useStanding();
  // Who may not run it has nothing to prepare.
  const shownTabs = workflowTabs.filter((one) => one !== "preflight" || may("workflow_run"));
  const tab = shownTabs.find((one) => one === search.tab) ?? "definition";
  const setRunning = (isOpen: boolean) =>
    void navigate({ search: (old) => ({ ...old, run: isOpen ? "1" : undefined, like: undefined }), replace: true });
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <BackLink to="/workflows">{t("nav.workflows")}</BackLink>
      <Head workflow={workflow} onRun={() => setRunning(true)} />
      <Tabs
        label={t("workflow.views")}
        value={tab}
        tabs={shownTabs.map((one) => ({ value: one, label: t(`workflow.tab.${one}`) }))}
        onChoose={(value) => void navigate({ search: { tab: value }, replace: true })}
      >
        {tab === "definition" && <Definition workflow={workflow} />}
        {tab === "runs" && <Runs workflow={workflow} onRun={() => setRunning(true)} />}
        {tab === "preflight" && <Preflight workflow={workflow} />}
        {tab === "versions" && <VersionsOf workflow={workflow} />}
      </Tabs>
      <RunDialog
        workflow={workflow}
        isOpen={search.run === "1" && may("workflow_run")}
        like={search.like}
        onClose={() => setRunning(false)}
      />
    </div>
  );
}

function Head({ workflow, onRun }: { workflow: WorkflowDetail; onRun: () => void }) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const queries = useQueryClient();
  useTitle(fullName(workflow));
  const archive = useMutation({
    mutationFn: () => archiveWorkflow(workflow.id, !workflow.is_archived),
    onSuccess(changed) {
      toast.success(t(changed.is_archived ? "workflow.archived" : "workflow.restored"));
      void queries.invalidateQueries({ queryKey: workflowKeys.all });
    },
    onError: tellProblem,
  });
  return (
    <div className="mb-4 flex flex-wrap items-start gap-x-4 gap-y-2">
      <div className="min-w-0 flex-1 basis-72">
        <h1 className={`${headline} flex flex-wrap items-baseline gap-x-2`}>
          <span className="truncate">{fullName(workflow)}</span>
          <span className="font-normal text-base text-ink-faint">{workflow.version}</span>
          {workflow.is_latest && (
            <span className="status-succeeded rounded-full bg-status-tint px-2 py-0.5 font-medium text-status text-xs">
              {t("workflow.latest")}
            </span>
          )}
          {workflow.is_archived && (
            <span className="status-cancelled rounded-full bg-status-tint px-2 py-0.5 font-medium text-status text-xs">
              {t("workflow.isArchived")}
            </span>
          )}
        </h1>
        <p className="text-ink-soft">
          {workflow.title ?? workflow.summary}
          {(workflow.title ?? workflow.summary) && " · "}
          {t("workflow.registered")} <Ago at={workflow.created_at} />
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {may("workflow_change", workflow.created_by) && (
          <Button
            look="quiet"
            icon={workflow.is_archived ? ArchiveRestore : Archive}
            isBusy={archive.isPending}
            onClick={() => archive.mutate()}
          >
            {t(workflow.is_archived ? "workflow.restore" : "workflow.archive")}
          </Button>
        )}
        {may("workflow_register") && (
          <Link to="/workflows/new" search={{ from: workflow.id }} className={buttonClass()}>
            <FilePen className="size-4" aria-hidden />
            {t("workflow.newVersion")}
          </Link>
        )}
        {may("workflow_run") && (
          <Button look="primary" icon={Play} onClick={onRun}>
            {t("run.run")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Definition({ workflow }: { workflow: WorkflowDetail }) {
  const tasks = useMemo(() => modelOf(workflow.definition), [workflow]);
  return (
    <div className="grid min-h-[520px] flex-1 gap-4 lg:grid-cols-2">
      <Card className="relative min-h-[360px] overflow-hidden">
        <div className="absolute inset-0">
          <Editor text={workflow.source} isReadOnly />
        </div>
      </Card>
      <Card className="relative min-h-[360px] overflow-hidden">
        <div className="absolute inset-0">
          <Graph tasks={tasks} />
        </div>
      </Card>
    </div>
  );
}

function Runs({ workflow, onRun }: { workflow: WorkflowDetail; onRun: () => void }) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const name = fullName(workflow);
  const filter = useMemo(() => ({ workflow: name }), [name]);
  const list = useExecutionRows(filter);
  const seesOthers = useSeesOthers();
  const { rows, hasMore, error, retry } = list;
  return (
    <Card className="flex min-h-[420px] flex-1 flex-col overflow-hidden">
      {error ? (
        <ProblemView error={error} retry={retry} className="m-4" />
      ) : !rows ? (
        <SkeletonRows look="executions" />
      ) : rows.count === 0 && !hasMore ? (
        <Empty icon={Play} title={t(seesOthers ? "workflow.neverRun" : "workflow.notRunByYou")}>
          {may("workflow_run") && (
            <>
              <p>{t("workflow.neverRunHint")}</p>
              <Button look="primary" icon={Play} onClick={onRun} className="mt-4">
                {t("run.run")}
              </Button>
            </>
          )}
        </Empty>
      ) : (
        <ExecutionTable list={{ ...list, rows }} filter={filter} />
      )}
    </Card>
  );
}

function VersionsOf({ workflow }: { workflow: WorkflowDetail }) {
  const { data, error, refetch } = useQuery(workflowVersions(workflow.id));
  const { compare } = route.useSearch();
  const navigate = route.useNavigate();
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Card>
        <SkeletonRows count={2} />
      </Card>
    );
  return (
    <Versions
      current={workflow}
      versions={data}
      compared={compare}
      onCompare={(id) => void navigate({ search: (old) => ({ ...old, compare: id }), replace: true })}
    />
  );
}
