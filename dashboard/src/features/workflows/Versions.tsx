import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { WorkflowDetail, WorkflowView } from "@/api/generated/schema";
import { workflowDetail } from "@/api/workflows";
import { Button } from "@/components/Button";
import { Card, CardHead } from "@/components/Card";
import { Diff } from "@/components/Diff";
import { ProblemView, Skeleton } from "@/components/states";
import { Ago } from "@/components/time";
import { useLanguage } from "@/i18n/language";

export default function Versions({
  current,
  versions,
  compared,
  onCompare,
}: {
  current: WorkflowDetail;
  versions: readonly WorkflowView[];
  compared?: string;
  onCompare: (id: string | undefined) => void;
}) {
  const { t } = useLanguage();
  const other = versions.find((version) => version.id === compared && version.id !== current.id);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[320px_minmax(0,1fr)]">
      <Card className="overflow-hidden">
        <CardHead title={t("workflow.tab.versions")} />
        <ul className="divide-y">
          {versions.map((version) => (
            <li key={version.id} className="flex items-center gap-2 px-4 py-2.5">
              <div className="min-w-0 flex-1">
                <Link
                  to="/workflows/$id"
                  params={{ id: version.id }}
                  search={{ tab: "versions" }}
                  className="font-medium hover:underline"
                >
                  {version.version}
                </Link>
                <p className="text-ink-faint text-xs">
                  <Ago at={version.created_at} />
                  {version.is_latest && ` · ${t("workflow.latest")}`}
                  {version.is_archived && ` · ${t("workflow.isArchived")}`}
                </p>
              </div>
              {version.id === current.id ? (
                <span className="text-[13px] text-ink-soft">{t("workflow.thisVersion")}</span>
              ) : (
                <Button
                  size="small"
                  look={version.id === other?.id ? "primary" : "plain"}
                  onClick={() => onCompare(version.id)}
                >
                  {t("compare.action")}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Card>
      <Card className="overflow-hidden">
        <CardHead title={other ? `${other.version} → ${current.version}` : t("workflow.changes")} />
        <div className="p-4">
          {other ? (
            <Changes from={other.id} to={current} />
          ) : (
            <p className="text-ink-soft">{t("workflow.changesHint")}</p>
          )}
        </div>
      </Card>
    </div>
  );
}

function Changes({ from, to }: { from: string; to: WorkflowDetail }) {
  const { data, error, refetch } = useQuery(workflowDetail(from));
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  return data ? <Diff before={data.source} after={to.source} /> : <Skeleton className="h-40" />;
}
