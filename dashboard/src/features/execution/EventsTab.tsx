// The journal itself, as it was written.
import { getRouteApi } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { BookOpen, ChevronRight, Download } from "lucide-react";
import { memo, useCallback, useMemo, useRef, useState } from "react";
import type { EventView } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { JsonView, save } from "@/components/JsonView";
import { Empty, SkeletonRows } from "@/components/states";
import { useFormats, useLanguage } from "@/i18n/language";
import { nameOf } from "./timeline";

const route = getRouteApi("/pages/executions/$id");

const looks: [RegExp, string][] = [
  [/failed$/, "status-failed"],
  [/(completed|succeeded|finished)$/, "status-succeeded"],
  [/(waiting|timer_set|retried)$/, "status-waiting"],
  [/paused$/, "status-paused"],
  [/(cancelled|skipped)$/, "status-cancelled"],
];

export function lookOf(type: string): string {
  return looks.find(([pattern]) => pattern.test(type))?.[1] ?? "status-running";
}

export default function EventsTab({ events }: { events: EventView[] | undefined }) {
  const { t } = useLanguage();
  const { id } = route.useParams();
  const { type } = route.useSearch();
  const navigate = route.useNavigate();
  const [openSeq, setOpenSeq] = useState<number>();
  const toggle = useCallback((seq: number) => setOpenSeq((open) => (open === seq ? undefined : seq)), []);
  const types = useMemo(() => [...new Set(events?.map((event) => event.type))].sort(), [events]);
  const shown = useMemo(
    () => (type ? (events ?? []).filter((event) => event.type === type) : (events ?? [])),
    [events, type],
  );
  const scroller = useRef<HTMLDivElement>(null);
  // The same function until the events change: with another one, all of them are measured anew.
  const keyOf = useCallback((index: number) => shown[index]?.seq ?? index, [shown]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 36,
    getItemKey: keyOf,
    overscan: 15,
  });
  return (
    <Card className="flex min-h-[420px] flex-1 flex-col overflow-hidden">
      <div className="flex items-center gap-2 border-b p-2">
        <select
          aria-label={t("events.type")}
          value={type ?? ""}
          onChange={(event) =>
            void navigate({ search: (old) => ({ ...old, type: event.target.value || undefined }), replace: true })
          }
          className="field max-w-60"
        >
          <option value="">{t("events.all")}</option>
          {types.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <span className="tabular ml-auto text-[13px] text-ink-soft">
          {events && t("events.count", { count: shown.length })}
        </span>
        <Button
          look="quiet"
          size="small"
          icon={Download}
          aria-label={t("action.download")}
          title={t("action.download")}
          onClick={() =>
            save(`${id}.jsonl`, shown.map((event) => JSON.stringify(event)).join("\n"), "application/jsonl")
          }
        />
      </div>
      {!events ? (
        <SkeletonRows look="lines" />
      ) : shown.length === 0 ? (
        <Empty icon={BookOpen} title={t("events.none")} />
      ) : (
        <div ref={scroller} tabIndex={0} className="min-h-0 flex-1 basis-0 overflow-auto">
          <ol style={{ height: virtual.getTotalSize() }} className="relative">
            {virtual.getVirtualItems().map((item) => {
              const event = shown[item.index];
              if (!event) return null;
              return (
                <li
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  style={{ transform: `translateY(${item.start}px)` }}
                  className="absolute inset-x-0 top-0 border-b"
                >
                  <Line event={event} isOpen={openSeq === event.seq} onToggle={toggle} />
                </li>
              );
            })}
          </ol>
        </div>
      )}
    </Card>
  );
}

const Line = memo(function Line({
  event,
  isOpen,
  onToggle,
}: {
  event: EventView;
  isOpen: boolean;
  onToggle: (seq: number) => void;
}) {
  const formats = useFormats();
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => onToggle(event.seq)}
        className="flex h-9 w-full items-center gap-3 px-3 text-left hover:bg-sunken"
      >
        <ChevronRight
          className={clsx("size-4 shrink-0 text-ink-faint transition-transform", isOpen && "rotate-90")}
          aria-hidden
        />
        <span className="tabular w-10 shrink-0 text-right max-sm:w-7 text-ink-faint text-xs">{event.seq}</span>
        {/* As wide for every type, so that the tasks stand below each other. */}
        <span className="flex min-w-0 shrink-0 max-sm:shrink sm:w-40">
          <span
            className={clsx(
              lookOf(event.type),
              "min-w-0 truncate rounded-md bg-status-tint px-1.5 font-mono text-status text-xs",
            )}
          >
            {event.type}
          </span>
        </span>
        <span className="min-w-8 flex-1 truncate text-[13px]">{event.task && nameOf(event.task)}</span>
        <time dateTime={event.at} className="tabular shrink-0 text-ink-faint text-xs">
          <span className="max-sm:hidden">{formats.clock(event.at)}</span>
          <span className="sm:hidden">{formats.clock(event.at).slice(0, -4)}</span>
        </time>
      </button>
      {isOpen && (
        <div className="space-y-2 px-4 pb-3 sm:pl-[84px]">
          {event.path && <p className="break-all font-mono text-ink-soft text-xs">{event.path}</p>}
          <JsonView value={event.data} name={`event-${event.seq}`} />
        </div>
      )}
    </>
  );
});
