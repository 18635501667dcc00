import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Bot, Plus } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { agentList } from "@/api/agents";
import type { AgentView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card, PageHead } from "@/components/Card";
import { Empty, ProblemView, SkeletonCards } from "@/components/states";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { useAgentDescription } from "@/i18n/words";
import { AgentDialog } from "./AgentDialog";
import { Measured } from "./Measured";

const route = getRouteApi("/pages/agents");
const cards = "grid gap-4 sm:grid-cols-2 xl:grid-cols-3 2xl:grid-cols-4 min-[188rem]:grid-cols-6";

export function AgentsPage() {
  const { t } = useLanguage();
  const { may } = useStanding();
  const describe = useAgentDescription();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { text, field } = useTyped(q, (typed) => void navigate({ search: { q: typed || undefined }, replace: true }));
  const [isMaking, setMaking] = useState(false);
  const wanted = useDeferredValue(text).toLowerCase();
  const { data, error, refetch } = useQuery(agentList);
  const shown = useMemo(
    () => data?.filter((agent) => `${agent.name} ${agent.slug} ${describe(agent)}`.toLowerCase().includes(wanted)),
    [data, wanted, describe],
  );
  return (
    <>
      <PageHead title={t("nav.agents")}>
        <input
          {...field}
          type="search"
          aria-label={t("agent.search")}
          placeholder={t("agent.search")}
          className="field w-56 max-sm:flex-1"
        />
        {may("agent_create") && (
          <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
            {t("agent.new")}
          </Button>
        )}
      </PageHead>
      {error && !data ? (
        <ProblemView error={error} retry={() => void refetch()} />
      ) : !shown ? (
        <SkeletonCards count={6} className={cards} />
      ) : shown.length === 0 ? (
        <Card>
          <Empty icon={Bot} title={t("agent.noneFound")} />
        </Card>
      ) : (
        <ul className={cards}>
          {shown.map((agent) => (
            <Item key={agent.id} agent={agent} />
          ))}
        </ul>
      )}
      <AgentDialog isOpen={isMaking} onClose={() => setMaking(false)} />
    </>
  );
}

function Item({ agent }: { agent: AgentView }) {
  const { t } = useLanguage();
  const describe = useAgentDescription();
  return (
    <li className="relative flex flex-col rounded-xl border bg-surface p-4 shadow-card transition-colors hover:border-line-strong">
      <div className="flex items-start gap-3">
        <span className="grid size-9 shrink-0 place-items-center rounded-lg bg-accent-soft text-accent-text">
          <Bot className="size-5" aria-hidden />
        </span>
        <div className="min-w-0 flex-1">
          <Link to="/agents/$id" params={{ id: agent.id }} className="block truncate font-medium covers">
            {agent.name}
          </Link>
          <p className="truncate font-mono text-ink-faint text-xs">{agent.slug}</p>
        </div>
        {!agent.is_active && (
          <span className="status-cancelled rounded-full bg-status-tint px-2 py-0.5 text-status text-xs">
            {t("agent.off")}
          </span>
        )}
      </div>
      <p className="mt-2 line-clamp-2 flex-1 text-[13px] text-ink-soft">{describe(agent)}</p>
      <div className="mt-3 flex items-end justify-between gap-3 border-t pt-3 text-xs">
        <span className="text-ink-faint">
          {[t(`adapter.${agent.adapter}`), agent.model].filter(Boolean).join(" · ")}
        </span>
        <Measured agentId={agent.id} />
      </div>
    </li>
  );
}
