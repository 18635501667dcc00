import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import type { ExecutionDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { buttonClass } from "@/components/Button";
import { useLanguage } from "@/i18n/language";

/** To the same version of the workflow with this input, to be changed before it runs. */
export function OtherInput({ execution }: { execution: ExecutionDetail }) {
  const { t } = useLanguage();
  const { may } = useStanding();
  if (!execution.workflow_id || execution.execution_type !== "workflow" || !may("workflow_run")) return null;
  return (
    <Link
      to="/workflows/$id"
      params={{ id: execution.workflow_id }}
      search={{ run: "1", like: execution.id }}
      className={buttonClass("plain", "small")}
    >
      <Play className="size-4" aria-hidden />
      {t("execution.otherInput")}
    </Link>
  );
}
