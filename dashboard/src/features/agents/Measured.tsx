import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { executionList } from "@/api/executionLists";
import { useSeen } from "@/components/useSeen";
import { useFormats, useLanguage } from "@/i18n/language";
import { measure } from "./measured";

/** How an agent has done in its newest tests. */
export function Measured({ agentId }: { agentId: string }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const [place, isSeen] = useSeen();
  const { data } = useQuery({ ...executionList({ type: "agent_test", agent: agentId }), enabled: isSeen });
  const measures = useMemo(() => measure(data?.pages.flatMap((page) => page.items) ?? []), [data]);
  if (!data) return <span ref={place}> </span>;
  if (measures.count === 0) return <span className="text-ink-faint">{t("agent.untested")}</span>;
  return (
    <span className="tabular text-ink-soft">
      {[
        t("agent.tests", { count: measures.count }),
        measures.successRate !== undefined && formats.percent(measures.successRate),
        measures.medianMs !== undefined && formats.duration(measures.medianMs),
      ]
        .filter(Boolean)
        .join(" · ")}
    </span>
  );
}
