// One task: its instances, and of the chosen one what went in, what came out, and what went wrong.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import { taskInstance } from "@/api/executions";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { FailureView } from "@/components/FailureView";
import { JsonView } from "@/components/JsonView";
import { StatusBadge } from "@/components/StatusBadge";
import { ProblemView } from "@/components/states";
import { Elapsed, useNow } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { type Instance, nameOf, roundsOf, type Timeline } from "./timeline";

/** As wide as the style sheet wants it, to show the panel beside the rest. */
const BESIDE = window.matchMedia("(min-width: 64rem)");

export function TaskPanel({
  id,
  timeline,
  task,
  condition,
  onSelect,
}: {
  id: string;
  timeline: Timeline;
  task: string;
  /** Without which it is skipped. */
  condition?: string;
  onSelect: (task: string | undefined) => void;
}) {
  const { t } = useLanguage();
  const byPath = timeline.instances.find((instance) => instance.path === task);
  const pointer = byPath?.pointer ?? task;
  const instances = timeline.instances.filter((instance) => instance.pointer === pointer);
  const instance = byPath ?? instances.findLast((one) => one.status !== "skipped") ?? instances.at(-1);
  const formats = useFormats();
  const panel = useReturning();
  /** By the rounds it was in; of what came round in another way, by when. */
  const placeOf = (one: Instance) =>
    roundsOf(one.path)
      .map(({ loop, round }) => t("task.round", { loop, round }))
      .join(", ") || formats.clock(new Date(one.from).toISOString());
  // Where it stands below what it was chosen in, it would not be noticed.
  useEffect(() => {
    if (task && !BESIDE.matches) panel.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [task, panel]);
  return (
    <Card
      ref={panel}
      aria-label={t("task.details")}
      className="flex max-h-[80vh] w-full shrink-0 flex-col overflow-hidden lg:w-[400px] 2xl:w-[520px]"
    >
      <header className="flex items-center gap-2 border-b py-2 pr-2 pl-4">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{nameOf(pointer)}</h2>
        {instance && <StatusBadge status={instance.status} />}
        <Button look="quiet" size="small" icon={X} aria-label={t("action.close")} onClick={() => onSelect(undefined)} />
      </header>
      <div className="space-y-4 overflow-auto p-4">
        {instances.length > 1 && (
          <label className="block">
            <span className="text-ink-faint text-xs">{t("task.instance", { count: instances.length })}</span>
            <select
              value={instance?.path}
              onChange={(event) => onSelect(event.target.value)}
              className="field mt-1 w-full text-[13px]"
            >
              {instances.map((one, index) => (
                <option key={one.path} value={one.path}>
                  {[index + 1, t(`status.${one.status}`), placeOf(one)].join(" · ")}
                </option>
              ))}
            </select>
          </label>
        )}
        {condition && (
          <dl>
            <Part name={t("graph.conditional")}>
              <span className="break-all font-mono text-[13px]">{condition}</span>
            </Part>
          </dl>
        )}
        {instance ? <Details id={id} instance={instance} /> : <p className="text-ink-soft">{t("task.notYet")}</p>}
      </div>
    </Card>
  );
}

/** Who closes the panel from within is where they were before it was opened. */
function useReturning() {
  const place = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const panel = place.current;
    return () => {
      if (!panel?.contains(document.activeElement)) return;
      const target = before instanceof HTMLElement && before.isConnected ? before : document.getElementById("content");
      target?.focus({ preventScroll: true });
    };
  }, []);
  return place;
}

function Details({ id, instance }: { id: string; instance: Instance }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const now = useNow();
  const instant = (ms: number) => new Date(ms).toISOString();
  return (
    <div className="space-y-4">
      <dl className="grid grid-cols-2 gap-3">
        <Part name={t("task.started")}>{formats.clock(instant(instance.from))}</Part>
        <Part name={t("task.took")}>
          <Elapsed from={instant(instance.from)} to={instance.to === undefined ? null : instant(instance.to)} />
        </Part>
        {instance.attempts > 1 && <Part name={t("task.attempts")}>{formats.number(instance.attempts)}</Part>}
        {instance.attempt > 0 && <Part name={t("task.attempt")}>{formats.number(instance.attempt + 1)}</Part>}
        {instance.wakesAt !== undefined && instance.wakesAt > now && (
          <Part name={t("task.wakes")}>{formats.duration(instance.wakesAt - now)}</Part>
        )}
      </dl>
      {instance.effect && (
        <dl>
          <Part name={t(`effect.${effectKind(instance.effect.kind)}`)}>
            <span className="break-all font-mono text-[13px]">{instance.effect.summary}</span>
          </Part>
        </dl>
      )}
      {instance.childId && (
        <dl>
          <Part name={t("task.child")}>
            <Link to="/executions/$id" params={{ id: instance.childId }} className="text-accent-text hover:underline">
              {t("task.openChild")}
            </Link>
          </Part>
        </dl>
      )}
      {instance.error && <FailureView failure={instance.error} />}
      <Input id={id} instance={instance} />
      {instance.output !== undefined && (
        <dl>
          <Part name={t("task.output")}>
            <JsonView value={instance.output} name={`${instance.name}-output`} />
          </Part>
        </dl>
      )}
    </div>
  );
}

/** What the task works on. The service follows the data from task to task; the page does not. */
function Input({ id, instance }: { id: string; instance: Instance }) {
  const { t } = useLanguage();
  const { data: task, error, refetch } = useQuery(taskInstance(id, instance.path));
  if (error && !task) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!task) return null;
  if (task.input_seq) {
    return (
      <dl>
        <Part name={t("task.input")}>{t("task.large", { seq: task.input_seq })}</Part>
      </dl>
    );
  }
  return (
    <dl>
      <Part name={t("task.input")}>
        <JsonView value={task.input} name={`${instance.name}-input`} />
      </Part>
    </dl>
  );
}

const effectKinds = ["http", "shell", "agent"] as const;

function effectKind(kind: string): (typeof effectKinds)[number] | "other" {
  return effectKinds.find((one) => one === kind) ?? "other";
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-ink-faint text-xs">{name}</dt>
      <dd className="tabular mt-0.5">{children}</dd>
    </div>
  );
}
