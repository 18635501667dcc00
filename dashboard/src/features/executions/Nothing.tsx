// A list of executions without any: what to do next, for whom there is something to do.
import { Link } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { useStanding } from "@/api/me";
import { buttonClass } from "@/components/Button";
import { Empty } from "@/components/states";
import { useLanguage } from "@/i18n/language";

/** Somebody whom one does not know. */
const SOMEBODY = "";

export function Nothing() {
  const { t } = useLanguage();
  const { may } = useStanding();
  const seesOthers = may("execution_read", SOMEBODY);
  return (
    <Empty icon={Activity} title={t(seesOthers ? "executions.none" : "executions.noneOwn")}>
      {may("execution_start") ? (
        <>
          <p>{t("executions.noneHint")}</p>
          <div className="mt-4 flex flex-wrap justify-center gap-2">
            <Link to="/workflows" className={buttonClass("primary")}>
              {t("executions.toWorkflows")}
            </Link>
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
