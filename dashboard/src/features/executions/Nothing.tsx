// A list of executions without any: what to do next, for whom there is something to do.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { useSeesOthers, useStanding } from "@/api/me";
import { workflowList } from "@/api/workflows";
import { buttonClass } from "@/components/Button";
import { Empty } from "@/components/states";
import { useLanguage } from "@/i18n/language";

export function Nothing() {
  const { t } = useLanguage();
  const { may } = useStanding();
  const seesOthers = useSeesOthers();
  const { data: workflows } = useQuery(workflowList());
  const hasNone = workflows?.length === 0 && may("workflow_register");
  return (
    <Empty icon={Activity} title={t(seesOthers ? "executions.none" : "executions.noneOwn")}>
      {may("execution_start") ? (
        <>
          <p>{t("executions.noneHint")}</p>
          <div className="mt-4 flex flex-wrap justify-center gap-2">
            {hasNone ? (
              <Link to="/workflows/new" search={{ example: "review-panel" }} className={buttonClass("primary")}>
                {t("workflow.fromExample")}
              </Link>
            ) : (
              <Link to="/workflows" className={buttonClass("primary")}>
                {t("executions.toWorkflows")}
              </Link>
            )}
            <Link to="/agents" className={buttonClass()}>
              {t("executions.toAgents")}
            </Link>
          </div>
        </>
      ) : (
        t("executions.noneOthers")
      )}
    </Empty>
  );
}
