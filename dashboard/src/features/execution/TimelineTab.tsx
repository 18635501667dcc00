// A Gantt chart of task instances. Thousands of rows are as quick as ten: only visible ones exist.
import { getRouteApi } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { ChartNoAxesGantt } from "lucide-react";
import { type ReactNode, useMemo, useRef } from "react";
import { Card } from "@/components/Card";
import { StatusIcon } from "@/components/StatusBadge";
import { Empty, SkeletonPanel } from "@/components/states";
import { useNow } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { useServiceWords } from "@/i18n/words";
import { TaskPanel } from "./TaskPanel";
import { type Instance, type Scale, type StretchKind, scaleOf, type Timeline } from "./timeline";

const route = getRouteApi("/pages/executions/$id");
const ROW = 32;

export default function TimelineTab({
  timeline,
  isRead,
  isOver,
}: {
  timeline: Timeline;
  /** Whether the journal is known, and not only on its way. */
  isRead: boolean;
  isOver: boolean;
}) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { id } = route.useParams();
  const { task, idle } = route.useSearch();
  const navigate = route.useNavigate();
  const hidesIdle = idle === "hidden";
  const ticking = useNow();
  const now = isOver ? (timeline.endedAt ?? ticking) : ticking;
  const scale = useMemo(() => scaleOf(timeline, now, hidesIdle), [timeline, now, hidesIdle]);
  const select = (next: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, task: next }), replace: true });
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: timeline.instances.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 15,
  });
  if (!isRead) return <SkeletonPanel className="min-h-[420px] flex-1" />;
  if (timeline.instances.length === 0 && timeline.createdAt === undefined) {
    return (
      <Card>
        <Empty icon={ChartNoAxesGantt} title={t("timeline.none")} />
      </Card>
    );
  }
  return (
    <div className="flex min-h-[420px] flex-1 gap-4 max-lg:flex-col">
      <Card className="flex min-h-[360px] min-w-0 flex-1 flex-col overflow-hidden">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b px-4 py-2 text-ink-soft text-xs">
          <Legend kind="queue" />
          <Legend kind="work" />
          <Legend kind="wait" />
          <Legend kind="retry" />
          {timeline.pauses.length > 0 && <Legend kind="pause" />}
          <label className="ml-auto flex cursor-pointer items-center gap-2 text-ink">
            <input
              type="checkbox"
              checked={hidesIdle}
              onChange={({ target: { checked } }) =>
                void navigate({ search: (old) => ({ ...old, idle: checked ? "hidden" : undefined }), replace: true })
              }
              className="size-4 accent-[var(--accent)]"
            />
            {t("timeline.hideIdle")}
          </label>
        </div>
        <Axis scale={scale} />
        <Queue timeline={timeline} now={now} scale={scale} />
        <div ref={scroller} tabIndex={0} className="min-h-0 flex-1 basis-0 overflow-auto">
          <ol style={{ height: virtual.getTotalSize() }} className="relative">
            {virtual.getVirtualItems().map((item) => {
              const instance = timeline.instances[item.index];
              if (!instance) return null;
              return (
                <li
                  key={instance.path}
                  className="absolute inset-x-0 top-0"
                  style={{ height: ROW, transform: `translateY(${item.start}px)` }}
                >
                  <Line
                    instance={instance}
                    scale={scale}
                    now={now}
                    isSelected={instance.path === task}
                    pauses={timeline.pauses}
                    onSelect={() => select(instance.path)}
                  />
                </li>
              );
            })}
          </ol>
        </div>
        {scale.cuts.length > 0 && (
          <p className="border-t px-4 py-1.5 text-ink-faint text-xs">
            {t("timeline.cut", { time: formats.duration(scale.cuts.reduce((sum, cut) => sum + cut.ms, 0)) })}
          </p>
        )}
      </Card>
      {task && <TaskPanel id={id} timeline={timeline} task={task} onSelect={select} />}
    </div>
  );
}

type BarKind = StretchKind | "queue" | "pause";

const looks: Record<BarKind, string> = {
  queue: "status-pending bg-status-solid/50",
  work: "bg-status-solid",
  wait: "status-waiting bg-status-solid/45",
  retry: "status-paused bg-status-solid/60",
  pause: "status-paused bg-status-tint",
};

function Legend({ kind }: { kind: BarKind }) {
  const { t } = useLanguage();
  return (
    <span className={clsx("inline-flex items-center gap-1.5", kind === "work" && "status-succeeded")}>
      <span className={clsx("h-2.5 w-4 rounded-sm", looks[kind])} aria-hidden />
      {t(`timeline.${kind}`)}
    </span>
  );
}

const columns =
  "grid grid-cols-[minmax(120px,260px)_minmax(0,1fr)_76px] items-center gap-3 px-4 max-sm:grid-cols-[110px_minmax(0,1fr)_60px]";

function Queue({ timeline, now, scale }: { timeline: Timeline; now: number; scale: Scale }) {
  const { t } = useLanguage();
  const say = useServiceWords();
  const formats = useFormats();
  const { createdAt, startedAt, endedAt } = timeline;
  if (createdAt === undefined) return null;
  const end = startedAt ?? endedAt ?? now;
  return (
    <div className={clsx(columns, "h-8 border-b bg-sunken text-ink-soft")}>
      <span className="truncate text-[13px]">{t("timeline.queue")}</span>
      <Track scale={scale}>
        <Bar kind="queue" from={createdAt} to={end} scale={scale} />
        {timeline.recoveries.map((recovery) => (
          <span
            key={recovery.at}
            title={t("timeline.recovered", { time: formats.duration(recovery.tookMs), reason: say(recovery.reason) })}
            className="status-succeeded absolute inset-y-1 w-0.5 bg-status-solid"
            style={{ left: `${scale.at(recovery.at) * 100}%` }}
          />
        ))}
      </Track>
      <span className="tabular text-right text-xs">{formats.duration(end - createdAt)}</span>
    </div>
  );
}

function Line({
  instance,
  scale,
  now,
  pauses,
  isSelected,
  onSelect,
}: {
  instance: Instance;
  scale: Scale;
  now: number;
  pauses: Timeline["pauses"];
  isSelected: boolean;
  onSelect: () => void;
}) {
  const formats = useFormats();
  const end = instance.to ?? now;
  return (
    <button
      type="button"
      onClick={onSelect}
      aria-pressed={isSelected}
      className={clsx(
        columns,
        `status-${instance.status} h-full w-full text-left`,
        isSelected ? "bg-accent-soft" : "hover:bg-sunken",
      )}
    >
      <span
        className="flex min-w-0 items-center gap-1.5 text-[13px]"
        style={{ paddingLeft: Math.min(instance.depth, 6) * 12 }}
      >
        <StatusIcon status={instance.status} className="size-3.5" />
        <span className="truncate">{instance.name}</span>
        {instance.attempt > 0 && <span className="text-ink-faint text-xs">#{instance.attempt + 1}</span>}
      </span>
      <Track scale={scale}>
        {instance.stretches.map((stretch, index) => (
          <Bar key={index} kind={stretch.kind} from={stretch.from} to={stretch.to ?? end} scale={scale} />
        ))}
        {pauses
          .filter((pause) => pause.from < end && (pause.to ?? now) > instance.from)
          .map((pause) => (
            <Bar
              key={pause.from}
              kind="pause"
              from={Math.max(pause.from, instance.from)}
              to={Math.min(pause.to ?? now, end)}
              scale={scale}
            />
          ))}
      </Track>
      <span className="tabular text-right text-ink-soft text-xs">{formats.duration(end - instance.from)}</span>
    </button>
  );
}

/** The times that the lines in the tracks below stand for. There is no room for them on small screens. */
function Axis({ scale }: { scale: Scale }) {
  const formats = useFormats();
  if (scale.ticks.length === 0) return null;
  return (
    <div aria-hidden className={clsx(columns, "h-7 text-ink-faint text-xs max-sm:hidden")}>
      <span />
      <span className="tabular relative h-4">
        {scale.ticks.map(({ at, ms }) => (
          <span key={ms} className="-translate-x-1/2 absolute whitespace-nowrap" style={{ left: `${at * 100}%` }}>
            {formats.duration(ms)}
          </span>
        ))}
      </span>
    </div>
  );
}

function Track({ scale, children }: { scale: Scale; children: ReactNode }) {
  return (
    <span className="relative block self-stretch">
      {scale.ticks.map(({ at, ms }) => (
        <span key={ms} className="absolute inset-y-0 border-l" style={{ left: `${at * 100}%` }} />
      ))}
      {children}
    </span>
  );
}

function Bar({ kind, from, to, scale }: { kind: BarKind; from: number; to: number; scale: Scale }) {
  const left = scale.at(from) * 100;
  const width = Math.max(0, scale.at(to) * 100 - left);
  return (
    <span
      className={clsx("-translate-y-1/2 absolute top-1/2 h-3.5 min-w-[3px] rounded-[3px]", looks[kind])}
      style={{ left: `min(${left}%, calc(100% - 3px))`, width: `${width}%` }}
    />
  );
}
