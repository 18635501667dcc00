// What runs of a workflow may touch, and whether it is there, before one is started.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  Bot,
  CircleCheck,
  CircleHelp,
  FileJson2,
  Globe,
  KeyRound,
  Lock,
  type LucideIcon,
  RefreshCw,
  SquareTerminal,
  TriangleAlert,
  Workflow,
} from "lucide-react";
import type { ReactNode } from "react";
import type { PreflightView, TouchKind, Verdict, WorkflowDetail } from "@/api/generated/schema";
import { preflight } from "@/api/workflows";
import { Button } from "@/components/Button";
import { Card, CardHead } from "@/components/Card";
import { Fact } from "@/components/Fact";
import { ProblemView, SkeletonPanel } from "@/components/states";
import { nameOf } from "@/features/execution/timeline";
import { useFormats, useLanguage } from "@/i18n/language";
import { badCount, groupsOf, isBad } from "./preflight";

export function Preflight({ workflow }: { workflow: WorkflowDetail }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { data, error, refetch, isFetching } = useQuery(preflight(workflow.id));
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonPanel className="h-72" />;
  const most = (value: number | null) => (value === null ? t("preflight.unbounded") : formats.number(value));
  return (
    <div className="space-y-4">
      <Card>
        <div className="flex flex-wrap items-center gap-x-8 gap-y-3 p-4">
          <Outcome view={data} />
          <dl className="flex flex-wrap gap-x-8 gap-y-3">
            <Fact name={t("preflight.modelCalls")}>{most(data.model_calls_at_most)}</Fact>
            <Fact name={t("preflight.requests")}>{most(data.requests_at_most)}</Fact>
          </dl>
          <Button
            size="small"
            icon={RefreshCw}
            isBusy={isFetching}
            onClick={() => void refetch()}
            className="sm:ml-auto"
          >
            {t("preflight.again")}
          </Button>
        </div>
        <p className="border-t px-4 py-3 text-[13px] text-ink-soft">{t("preflight.hint")}</p>
      </Card>
      {error && <ProblemView error={error} />}
      <div className="grid items-start gap-4 xl:grid-cols-2">
        {groupsOf(data.touches).map(({ kind, things }) => (
          <Group key={kind} icon={icons[kind]} title={t(`preflight.kind.${kind}`)}>
            {things.map((thing) => (
              <Thing
                key={`${thing.isComputed} ${thing.subject}`}
                name={thing.subject}
                isComputed={thing.isComputed}
                verdict={thing.verdict}
                about={[
                  thing.tasks.map((task) => nameOf(task) || t("preflight.whole")).join(", "),
                  thing.atMost === undefined
                    ? t("preflight.anyTimes")
                    : t("preflight.times", { count: thing.atMost, shown: formats.number(thing.atMost) }),
                ].join(" · ")}
              />
            ))}
          </Group>
        ))}
        {data.secrets.length > 0 && (
          <Group icon={Lock} title={t("admin.section.secrets")}>
            {data.secrets.map(({ name, agent, verdict }) => (
              <Thing
                key={`${agent ?? ""} ${name}`}
                name={name}
                verdict={verdict}
                about={agent ? t("preflight.keyOf", { agent }) : undefined}
              />
            ))}
          </Group>
        )}
      </div>
    </div>
  );
}

const icons: Record<TouchKind, LucideIcon> = {
  request: Globe,
  schema: FileJson2,
  token: KeyRound,
  program: SquareTerminal,
  agent: Bot,
  workflow: Workflow,
};

function Outcome({ view }: { view: PreflightView }) {
  const { t } = useLanguage();
  const Icon = view.is_ready ? CircleCheck : TriangleAlert;
  return (
    <p
      role="status"
      className={`${view.is_ready ? "status-succeeded" : "status-failed"} flex items-center gap-2 font-semibold text-[15px] text-status`}
    >
      <Icon className="size-5 shrink-0" aria-hidden />
      {view.is_ready ? t("preflight.ready") : t("preflight.bad", { count: badCount(view) })}
    </p>
  );
}

function Group({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children: ReactNode }) {
  return (
    <Card className="overflow-hidden">
      <CardHead
        title={
          <span className="flex items-center gap-2">
            <Icon className="size-4 text-ink-faint" aria-hidden />
            {title}
          </span>
        }
      />
      <ul className="divide-y">{children}</ul>
    </Card>
  );
}

function Thing({
  name,
  verdict,
  about,
  isComputed,
}: {
  name: string;
  verdict: Verdict;
  about?: string;
  isComputed?: boolean;
}) {
  const { t } = useLanguage();
  const look = isBad(verdict) ? "status-failed" : verdict === "ready" ? "status-succeeded" : "status-pending";
  const Icon = isBad(verdict) ? TriangleAlert : verdict === "ready" ? CircleCheck : CircleHelp;
  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="break-words font-mono text-[13px]">
          {isComputed && <span className="mr-1.5 font-sans text-ink-faint">{t("preflight.computed")}</span>}
          {name}
        </p>
        {about && <p className="truncate text-[13px] text-ink-soft">{about}</p>}
      </div>
      <span
        className={`${look} inline-flex h-[22px] shrink-0 items-center gap-1 rounded-full bg-status-tint px-2 font-medium text-status text-xs`}
      >
        <Icon className="size-3.5" aria-hidden />
        {t(`preflight.verdict.${verdict}`)}
      </span>
    </li>
  );
}

/** In the run dialog: says so when a run is sure to come to something that would fail. */
export function PreflightWarning({ workflowId }: { workflowId: string }) {
  const { t } = useLanguage();
  const { data } = useQuery(preflight(workflowId));
  if (!data || data.is_ready) return null;
  return (
    <p role="status" className="status-paused flex items-start gap-2 rounded-lg bg-status-tint px-3 py-2">
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-status" aria-hidden />
      <span>
        {t("preflight.bad", { count: badCount(data) })}{" "}
        <Link
          to="/workflows/$id"
          params={{ id: workflowId }}
          search={{ tab: "preflight" }}
          className="text-accent-text underline"
        >
          {t("preflight.see")}
        </Link>
      </span>
    </p>
  );
}
