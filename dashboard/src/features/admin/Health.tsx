import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, ExternalLink, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { Dependency, QueueView } from "@/api/generated/schema";
import { liveness, readiness } from "@/api/health";
import { useStanding } from "@/api/me";
import { queueView } from "@/api/queue";
import { buttonClass } from "@/components/Button";
import { Card, CardHead } from "@/components/Card";
import { Fact } from "@/components/Fact";
import { ProblemView, SkeletonCards } from "@/components/states";
import { useFormats, useLanguage } from "@/i18n/language";
import { useServiceWords } from "@/i18n/words";
import { useLive } from "@/live/useLive";
import { Reports } from "./Reports";

/** What is known by a name of its own; others are shown under the name that the service gives them. */
const known = ["store", "engine"] as const;

export default function Health() {
  const { t } = useLanguage();
  const ready = useQuery(readiness);
  const live = useQuery(liveness);
  const queue = useQuery(queueView);
  const { status } = useLive();
  const { may } = useStanding();
  if (ready.error && !ready.data) return <ProblemView error={ready.error} retry={() => void ready.refetch()} />;
  if (!ready.data) return <SkeletonCards count={3} className="space-y-4" />;
  // A service that does not answer any more is not as well as it last said.
  const isWell = !ready.error && ready.data.status === "ready";
  return (
    <div className="space-y-5">
      {ready.error && <ProblemView error={ready.error} retry={() => void ready.refetch()} />}
      <Card className={isWell ? "status-succeeded" : "status-failed"}>
        <div className="flex flex-wrap items-center gap-x-8 gap-y-3 p-4">
          <Verdict isWell={isWell}>{t(isWell ? "health.ready" : "health.notReady")}</Verdict>
          <dl className="flex flex-wrap gap-x-8 gap-y-3">
            {live.data && <Fact name={t("health.version")}>{live.data.version}</Fact>}
            <Fact name={t("health.live")}>{t(`health.connection.${status}`)}</Fact>
          </dl>
          <div className="flex flex-wrap gap-2 sm:ml-auto">
            {[
              { to: "/docs", name: t("health.docs") },
              { to: "/metrics", name: t("health.metrics") },
            ].map(({ to, name }) => (
              <a key={to} href={to} target="_blank" rel="noreferrer" className={buttonClass("plain", "small")}>
                {name}
                <ExternalLink className="size-3.5" aria-hidden />
              </a>
            ))}
          </div>
        </div>
      </Card>
      <div className="grid gap-5 sm:grid-cols-[repeat(auto-fit,minmax(240px,1fr))]">
        {Object.entries(ready.data.dependencies).map(([name, dependency]) => (
          <Part key={name} name={name} dependency={dependency} />
        ))}
      </div>
      {queue.data ? (
        <Engine queue={queue.data} />
      ) : queue.error ? (
        <ProblemView error={queue.error} retry={() => void queue.refetch()} />
      ) : (
        <SkeletonCards count={1} className="" />
      )}
      {may("report_read") && <Reports />}
    </div>
  );
}

function Verdict({ isWell, children }: { isWell: boolean; children: ReactNode }) {
  const Icon: LucideIcon = isWell ? CircleCheck : CircleX;
  return (
    <p role="status" className="flex items-center gap-2 font-semibold text-[15px] text-status">
      <Icon className="size-5" aria-hidden />
      {children}
    </p>
  );
}

function Part({ name, dependency }: { name: string; dependency: Dependency }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const say = useServiceWords();
  const isWell = dependency.status === "ok";
  const part = known.find((one) => one === name);
  return (
    <Card className={isWell ? "status-succeeded p-4" : "status-failed border-status-solid/40! p-4"}>
      <div className="flex items-center justify-between gap-3">
        <h2 className="font-semibold">{part ? t(`health.part.${part}`) : name}</h2>
        <span className="flex items-center gap-1 rounded-full bg-status-tint px-2 py-0.5 font-medium text-status text-xs">
          {isWell ? <CircleCheck className="size-3.5" aria-hidden /> : <CircleX className="size-3.5" aria-hidden />}
          {t(isWell ? "health.ok" : "health.away")}
        </span>
      </div>
      <p className="mt-1 break-words text-[13px] text-ink-soft">
        {dependency.detail
          ? say(dependency.detail)
          : dependency.latency_ms != null
            ? t("health.answered", { time: formats.duration(Math.max(1, dependency.latency_ms)) })
            : t("health.works")}
      </p>
    </Card>
  );
}

/** The slots and the queue: of the whole service for those who see it, of the own tenant for the others. */
function Engine({ queue }: { queue: QueueView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const whole = queue.service;
  const shown = whole ?? queue;
  return (
    <Card>
      <CardHead title={t(whole ? "health.engineWhole" : "health.engineOwn")} />
      <dl className="grid grid-cols-2 gap-4 p-4 sm:grid-cols-3 lg:grid-cols-6">
        <Fact name={t("queue.slots")}>{`${formats.number(shown.running)} / ${formats.number(shown.max_running)}`}</Fact>
        <Fact
          name={t("queue.waiting")}
        >{`${formats.number(shown.pending)} / ${formats.number(shown.max_queued)}`}</Fact>
        <Fact name={t("health.woken")}>{formats.number(shown.woken)}</Fact>
        <Fact name={t("health.parked")}>{formats.number(shown.parked)}</Fact>
        {whole && <Fact name={t("health.restarts")}>{formats.number(whole.restarts)}</Fact>}
        {whole && <Fact name={t("health.tenants")}>{formats.number(whole.tenants.length)}</Fact>}
      </dl>
    </Card>
  );
}
