import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FilePlus2, Play, Workflow } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import type { WorkflowView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { workflowList } from "@/api/workflows";
import { buttonClass } from "@/components/Button";
import { Card, PageHead } from "@/components/Card";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { Ago } from "@/components/time";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { LastRuns } from "./Sparkbars";
import { Tags } from "./Tags";
import { isMeant } from "./tags";

const route = getRouteApi("/pages/workflows");

export function WorkflowsPage() {
  const { may } = useStanding();
  const { t } = useLanguage();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { text, field } = useTyped(q, (typed) => void navigate({ search: { q: typed || undefined }, replace: true }));
  const wanted = useDeferredValue(text);
  const { data, error, refetch } = useQuery(workflowList());
  const shown = useMemo(() => data?.filter((workflow) => isMeant(workflow, wanted)), [data, wanted]);
  return (
    <>
      <PageHead title={t("nav.workflows")}>
        <input
          {...field}
          type="search"
          aria-label={t("workflow.search")}
          placeholder={t("workflow.search")}
          className="field w-56 max-sm:flex-1"
        />
        {may("workflow_register") && (
          <Link to="/workflows/new" className={buttonClass("primary")}>
            <FilePlus2 className="size-4" aria-hidden />
            {t("workflow.new")}
          </Link>
        )}
      </PageHead>
      <Card className="overflow-hidden">
        {error && !data ? (
          <ProblemView error={error} retry={() => void refetch()} className="m-4" />
        ) : !shown ? (
          <SkeletonRows />
        ) : shown.length === 0 ? (
          <Nothing hasAny={(data?.length ?? 0) > 0} />
        ) : (
          <ul className="divide-y">
            {shown.map((workflow) => (
              <Item key={workflow.id} workflow={workflow} />
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}

function Item({ workflow }: { workflow: WorkflowView }) {
  const { may } = useStanding();
  const { t } = useLanguage();
  return (
    <li className="relative flex items-center gap-4 px-4 py-3 hover:bg-sunken">
      <div className="min-w-0 flex-1">
        <Link to="/workflows/$id" params={{ id: workflow.id }} className="flex items-baseline gap-2 covers">
          <span className="truncate font-medium">
            <span className="font-normal text-ink-faint">{workflow.namespace}/</span>
            {workflow.name}
          </span>
          <span className="text-ink-faint text-xs">{workflow.version}</span>
        </Link>
        {(workflow.title || workflow.summary) && (
          <p className="truncate text-[13px] text-ink-soft">{workflow.title ?? workflow.summary}</p>
        )}
        <Tags tags={workflow.tags} max={4} className="mt-1" />
      </div>
      <div className="w-36 shrink-0 max-md:hidden">
        <LastRuns workflow={workflow} />
      </div>
      <div className="w-28 shrink-0 text-right text-ink-faint text-xs max-md:hidden">
        <Ago at={workflow.created_at} />
      </div>
      {may("workflow_run") && (
        <Link
          to="/workflows/$id"
          params={{ id: workflow.id }}
          search={{ run: "1" }}
          className={`${buttonClass("plain", "small")} relative z-10`}
        >
          <Play className="size-3.5" aria-hidden />
          {t("run.run")}
        </Link>
      )}
    </li>
  );
}

function Nothing({ hasAny }: { hasAny: boolean }) {
  const { may } = useStanding();
  const { t } = useLanguage();
  if (hasAny) return <Empty icon={Workflow} title={t("workflow.noneFound")} />;
  if (!may("workflow_register")) return <Empty icon={Workflow} title={t("workflow.none")} />;
  return (
    <Empty icon={Workflow} title={t("workflow.none")}>
      <p>{t("workflow.noneHint")}</p>
      <div className="mt-4 flex flex-wrap justify-center gap-2">
        <Link to="/workflows/new" className={buttonClass("primary")}>
          {t("workflow.new")}
        </Link>
        <Link to="/workflows/new" search={{ example: "review-panel" }} className={buttonClass()}>
          {t("workflow.fromExample")}
        </Link>
      </div>
    </Empty>
  );
}
