import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, type ReactNode } from "react";
import { actionOf, commandsFor, executionDetail, isTerminal } from "@/api/executions";
import type { ExecutionDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { ProblemPage } from "@/components/ProblemPage";
import { ProblemView, SkeletonPage } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { Asking } from "@/features/budget/Asking";
import { isOfMonth } from "@/features/budget/budget";
import { useCommand } from "@/features/executions/useCommand";
import { useLanguage } from "@/i18n/language";
import { whenThere } from "@/parts";
import { Continued } from "./Continued";
import { Failed } from "./Failed";
import { Head } from "./Head";
import { type Tab, tabs } from "./search";
import { useTimeline } from "./useTimeline";

const Graph = lazy(whenThere(() => import("./GraphTab")));
const Timeline = lazy(whenThere(() => import("./TimelineTab")));
const Logs = lazy(whenThere(() => import("./LogsTab")));
const Events = lazy(whenThere(() => import("./EventsTab")));
const Output = lazy(whenThere(() => import("./OutputTab")));
const Usage = lazy(whenThere(() => import("./UsageTab")));

const route = getRouteApi("/pages/executions/$id");

/** What is nothing without the journal. */
const needsJournal: readonly Tab[] = ["timeline", "events"];

export function ExecutionPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(executionDetail(id));
  if (error && !data)
    return <ProblemPage error={error} retry={() => void refetch()} to="/executions" back="nav.executions" />;
  if (!data) return <SkeletonPage />;
  // Another execution is another page: nothing of the last one stays.
  return <Loaded key={id} execution={data} />;
}

function Loaded({ execution }: { execution: ExecutionDetail }) {
  const { t } = useLanguage();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { may } = useStanding();
  const { send, dialog, isBusy } = useCommand(execution.id, execution.continued_by ?? undefined);
  const isTest = execution.execution_type === "agent_test";
  const tab = search.tab ?? (isTest ? "output" : "graph");
  const { timeline, events, error, retry } = useTimeline(execution.id);
  const panels: Record<Tab, ReactNode> = {
    graph: <Graph id={execution.id} timeline={timeline} />,
    timeline: <Timeline timeline={timeline} isRead={events !== undefined} isOver={isTerminal(execution.status)} />,
    logs: <Logs id={execution.id} />,
    events: <Events events={events} />,
    output: <Output execution={execution} />,
    usage: <Usage execution={execution} timeline={timeline} />,
  };
  const isAsking = execution.status === "paused" && execution.pause_reason != null;
  const commands = commandsFor(execution.status, execution.continued_by != null).filter(
    (command) =>
      may(actionOf(command), execution.created_by) &&
      // What a budget asks for is answered below: to go on with one that is used up would only ask again.
      !(isAsking && !isOfMonth(execution.pause_limit)),
  );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Head execution={execution} timeline={timeline} commands={commands} send={send} isBusy={isBusy} />
      {dialog}
      {isAsking && <Asking execution={execution} timeline={timeline} onCommand={send} />}
      {error && <ProblemView error={error} retry={retry} className="mb-4" />}
      {execution.continued_by && <Continued execution={execution} by={execution.continued_by} />}
      {execution.error && <Failed execution={execution} failure={execution.error} timeline={timeline} />}
      <Tabs
        label={t("execution.views")}
        value={tab}
        tabs={tabs.map((one) => ({ value: one, label: t(`tab.${one}`) }))}
        onChoose={(value) => void navigate({ search: { tab: value }, replace: true })}
      >
        {error && needsJournal.includes(tab) ? null : panels[tab]}
      </Tabs>
    </div>
  );
}
