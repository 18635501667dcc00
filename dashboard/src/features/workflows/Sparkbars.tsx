import { useQuery } from "@tanstack/react-query";
import { executionList } from "@/api/executionLists";
import { useSeesOthers } from "@/api/me";
import { fullName } from "@/api/workflows";
import { useSeen } from "@/components/useSeen";
import { useLanguage } from "@/i18n/language";

const RUNS = 16;

/** The last runs of a workflow: a bar each, as high as it took long, in the color of how it ended. */
export function LastRuns({ workflow }: { workflow: { namespace: string; name: string } }) {
  const { t } = useLanguage();
  const seesOthers = useSeesOthers();
  const [place, isSeen] = useSeen();
  const { data } = useQuery({ ...executionList({ workflow: fullName(workflow) }), enabled: isSeen });
  const runs = (data?.pages[0]?.items ?? []).slice(0, RUNS).reverse();
  if (runs.length === 0) {
    return (
      <span ref={place} className="text-ink-faint text-xs">
        {data ? t(seesOthers ? "workflow.neverRun" : "workflow.notRunByYou") : " "}
      </span>
    );
  }
  const took = runs.map((run) =>
    run.started_at && run.finished_at ? Date.parse(run.finished_at) - Date.parse(run.started_at) : 0,
  );
  const most = Math.max(...took, 1);
  return (
    <span
      role="img"
      aria-label={t("workflow.lastRuns", { count: runs.length })}
      className="flex h-6 items-end gap-[3px]"
    >
      {runs.map((run, index) => (
        <span
          key={run.id}
          title={t(`status.${run.status}`)}
          className={`status-${run.status} w-1.5 rounded-sm bg-status-solid`}
          style={{ height: `${25 + 75 * ((took[index] ?? 0) / most)}%` }}
        />
      ))}
    </span>
  );
}
