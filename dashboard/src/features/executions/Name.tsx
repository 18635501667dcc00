// What an execution is a run of, in words.
import { useQuery } from "@tanstack/react-query";
import { Bot, type LucideIcon, Users, Workflow } from "lucide-react";
import { agentList } from "@/api/agents";
import type { Row } from "@/api/executions";
import type { ExecutionType } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";

const typeIcons: Record<ExecutionType, LucideIcon> = {
  workflow: Workflow,
  agent_test: Bot,
  project_round: Users,
};

/** The newest characters of an id tell executions apart; the first are the time. */
export function shortId(id: string): string {
  return id.slice(-8);
}

type Named = Pick<Row, "execution_type" | "workflow" | "agent_id">;

function isAgentTest(row: Named): boolean {
  return row.execution_type === "agent_test" && row.agent_id != null;
}

function workflowName(row: Named): string {
  return `${row.workflow.namespace}/${row.workflow.name}`;
}

/** The name of the workflow, or of the agent that is tested. */
export function useName(row: Named): string {
  const { t } = useLanguage();
  const isTest = isAgentTest(row);
  const { data: agents } = useQuery({ ...agentList, enabled: isTest });
  if (!isTest) return workflowName(row);
  return agents?.find((agent) => agent.id === row.agent_id)?.name ?? t("execution.agentTest");
}

/** The same, for lists: only rows that need the agents ask for them. */
export function Name({ row }: { row: Named }) {
  return isAgentTest(row) ? <AgentName row={row} /> : workflowName(row);
}

function AgentName({ row }: { row: Named }) {
  return useName(row);
}

export function TypeIcon({ type, className }: { type: ExecutionType; className?: string }) {
  const { t } = useLanguage();
  const Icon = typeIcons[type];
  return (
    <span title={t(`type.${type}`)} className={className}>
      <Icon className="size-4 text-ink-faint" role="img" aria-label={t(`type.${type}`)} />
    </span>
  );
}
