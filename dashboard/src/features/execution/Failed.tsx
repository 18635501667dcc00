// Why an execution has failed, and the ways on from there.
import { getRouteApi, Link } from "@tanstack/react-router";
import { FilePen, ListTree, SearchCode } from "lucide-react";
import type { ExecutionDetail, Failure } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button, buttonClass } from "@/components/Button";
import { FailureView } from "@/components/FailureView";
import { useLanguage } from "@/i18n/language";
import { OtherInput } from "./OtherInput";
import { nameOf, type Timeline } from "./timeline";

const route = getRouteApi("/pages/executions/$id");
const small = buttonClass("plain", "small");

export function Failed({
  execution,
  failure,
  timeline,
}: {
  execution: ExecutionDetail;
  failure: Failure;
  timeline: Timeline;
}) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const navigate = route.useNavigate();
  const task = failure.instance?.startsWith("/do/") ? failure.instance : undefined;
  const child = timeline.instances.findLast((one) => one.pointer === task && one.status === "failed")?.childId;
  return (
    <FailureView failure={failure} className="mb-4">
      <div className="mt-2 flex flex-wrap gap-2">
        {task && (
          <Button
            size="small"
            icon={SearchCode}
            onClick={() => void navigate({ search: { tab: "graph", task }, replace: true })}
          >
            {t("execution.showTask", { name: nameOf(task) })}
          </Button>
        )}
        {child && (
          <Link to="/executions/$id" params={{ id: child }} className={small}>
            <ListTree className="size-4" aria-hidden />
            {t("execution.openChild")}
          </Link>
        )}
        {!task && <OtherInput execution={execution} />}
        {execution.workflow_id && may("workflow_register") && (
          <Link to="/workflows/new" search={{ from: execution.workflow_id }} className={small}>
            <FilePen className="size-4" aria-hidden />
            {t("execution.editWorkflow")}
          </Link>
        )}
      </div>
    </FailureView>
  );
}
