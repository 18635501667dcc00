import { getRouteApi, Link } from "@tanstack/react-router";
import { Activity, GitCompareArrows } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { serviceNow } from "@/api/clock";
import { buttonClass } from "@/components/Button";
import { Card, PageHead } from "@/components/Card";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { useLanguage } from "@/i18n/language";
import { ExecutionTable } from "./ExecutionTable";
import { Filters } from "./Filters";
import { Nothing } from "./Nothing";
import { filterOf, isFiltered } from "./search";
import { useExecutionRows } from "./useExecutionRows";

const route = getRouteApi("/pages/executions");

export function ExecutionsPage() {
  const { t } = useLanguage();
  const search = route.useSearch();
  const lookedAt = useLookedAt();
  const filter = useMemo(() => filterOf(search, lookedAt), [search, lookedAt]);
  const list = useExecutionRows(filter);
  const { rows, hasMore, error, retry } = list;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <PageHead title={t("nav.executions")}>
        <Link to="/compare" className={buttonClass("quiet")}>
          <GitCompareArrows className="size-4" aria-hidden />
          {t("compare.title")}
        </Link>
      </PageHead>
      <Filters />
      <Card className="flex min-h-[420px] flex-1 flex-col overflow-hidden">
        {error ? (
          <ProblemView error={error} retry={retry} className="m-4" />
        ) : !rows ? (
          <SkeletonRows count={9} look="executions" />
        ) : rows.count === 0 && !hasMore ? (
          <NoneFound isFiltered={isFiltered(search)} />
        ) : (
          // Another filter is another list: what was selected or scrolled to belongs to the old one.
          <ExecutionTable key={JSON.stringify(filter)} list={{ ...list, rows }} filter={filter} />
        )}
      </Card>
    </div>
  );
}

/** A list that nobody has seen for this long begins anew: the last hour is then another one. */
const FORGOTTEN_MS = 5 * 60_000;

/** When one began to look at the page: a list of the last hour does not move on under the eyes of whoever reads it. */
function useLookedAt(): number {
  const [lookedAt, setLookedAt] = useState(serviceNow);
  useEffect(() => {
    let leftAt: number | undefined;
    const look = () => {
      if (document.visibilityState === "hidden") leftAt = serviceNow();
      else if (leftAt !== undefined && serviceNow() - leftAt > FORGOTTEN_MS) setLookedAt(serviceNow());
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return lookedAt;
}

function NoneFound({ isFiltered }: { isFiltered: boolean }) {
  const { t } = useLanguage();
  if (!isFiltered) return <Nothing />;
  return (
    <Empty icon={Activity} title={t("executions.noneFound")}>
      <p>{t("executions.noneFoundHint")}</p>
      <Link to="/executions" className={`${buttonClass()} mt-4`}>
        {t("executions.clear")}
      </Link>
    </Empty>
  );
}
