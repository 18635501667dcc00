import { getRouteApi } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { ArrowDownToLine, Download, ScrollText } from "lucide-react";
import {
  type HTMLAttributes,
  type TouchEvent,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { LogView } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Copy } from "@/components/Copy";
import { save } from "@/components/JsonView";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { useTyped } from "@/components/useTyped";
import { useFormats, useLanguage } from "@/i18n/language";
import { useLogs } from "@/live/useLive";
import { asText, LogReader } from "./logs";
import { type Level, levels } from "./search";
import { nameOf } from "./timeline";

const route = getRouteApi("/pages/executions/$id");
const NO_LINES: LogView[] = [];

const lookOf: Record<Level, string> = {
  debug: "text-ink-faint",
  info: "status-running text-status",
  warn: "status-paused text-status",
  error: "status-failed text-status",
};

export default function LogsTab({ id }: { id: string }) {
  const { t } = useLanguage();
  const { level, q = "", task } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: lines, error, refetch } = useLogs(id);
  const change = (part: { level?: Level; q?: string; task?: string }) =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true });
  const { text, field } = useTyped(q, (typed) => change({ q: typed || undefined }));
  const wanted = useDeferredValue(text);
  const whole = useMemo(() => new LogReader({ text: "" }), []);
  const tasks = useMemo(() => whole.tasksOf(lines ?? NO_LINES), [whole, lines]);
  // The address may name an instance of a task, or one that has not written anything.
  const chosen = tasks.find((one) => one === task);
  const reader = useMemo(() => new LogReader({ level, task: chosen, text: wanted }), [level, chosen, wanted]);
  const shown = useMemo(() => reader.read(lines ?? NO_LINES), [reader, lines]);
  const [isFollowing, setFollowing] = useState(true);
  if (error && !lines) return <ProblemView error={error} retry={() => void refetch()} />;
  return (
    <Card className="flex min-h-[420px] flex-1 flex-col overflow-hidden">
      <div className="flex flex-wrap items-center gap-2 border-b p-2">
        <input
          {...field}
          type="search"
          aria-label={t("logs.search")}
          placeholder={t("logs.search")}
          className="field min-w-36 flex-1 sm:max-w-64"
        />
        <select
          aria-label={t("logs.level")}
          value={level ?? ""}
          onChange={(event) => change({ level: levels.find((one) => one === event.target.value) })}
          className="field"
        >
          <option value="">{t("logs.allLevels")}</option>
          {levels.slice(1).map((one) => (
            <option key={one} value={one}>
              {t("logs.atLeast", { level: t(`level.${one}`) })}
            </option>
          ))}
        </select>
        {tasks.length > 1 && (
          <select
            aria-label={t("logs.task")}
            value={chosen ?? ""}
            onChange={(event) => change({ task: event.target.value || undefined })}
            className="field max-w-48"
          >
            <option value="">{t("logs.allTasks")}</option>
            {tasks.map((one) => (
              <option key={one} value={one}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        )}
        <div className="ml-auto flex items-center gap-1">
          <Button
            size="small"
            look={isFollowing ? "plain" : "quiet"}
            icon={ArrowDownToLine}
            aria-pressed={isFollowing}
            onClick={() => setFollowing(!isFollowing)}
          >
            {t("logs.follow")}
          </Button>
          <Copy text={() => asText(shown)} />
          <Button
            look="quiet"
            size="small"
            icon={Download}
            aria-label={t("action.download")}
            title={t("action.download")}
            onClick={() => save(`${id}.log`, asText(shown), "text/plain")}
          />
        </div>
      </div>
      {!lines ? (
        <SkeletonRows count={5} look="lines" />
      ) : shown.length === 0 ? (
        <Empty icon={ScrollText} title={t(lines.length === 0 ? "logs.none" : "logs.noneFound")}>
          {lines.length === 0 && t("logs.noneHint")}
        </Empty>
      ) : (
        <Lines lines={shown} isFollowing={isFollowing} onFollow={setFollowing} />
      )}
    </Card>
  );
}

function Lines({
  lines,
  isFollowing,
  onFollow,
}: {
  lines: readonly LogView[];
  isFollowing: boolean;
  onFollow: (is: boolean) => void;
}) {
  const formats = useFormats();
  const { t } = useLanguage();
  const scroller = useRef<HTMLDivElement>(null);
  // The same function until the lines change: with another one, all of them are measured anew.
  const keyOf = useCallback((index: number) => lines[index]?.n ?? index, [lines]);
  const whenScrolledUp = useScrolledUp();
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 24,
    getItemKey: keyOf,
    overscan: 20,
  });
  useEffect(() => {
    if (isFollowing && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [isFollowing, lines.length, virtual]);
  return (
    <div
      ref={scroller}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={t("tab.logs")}
      {...whenScrolledUp(() => onFollow(false))}
      className="min-h-0 flex-1 basis-0 overflow-auto bg-sunken py-1 font-mono text-[12.5px] leading-5"
    >
      <div style={{ height: virtual.getTotalSize() }} className="relative">
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              style={{ transform: `translateY(${item.start}px)` }}
              className="absolute inset-x-0 top-0 flex gap-3 px-4 py-0.5 hover:bg-line/50"
            >
              <time dateTime={line.at} title={formats.moment(line.at)} className="tabular shrink-0 text-ink-faint">
                {formats.clock(line.at)}
              </time>
              <span className={clsx("w-10 shrink-0 uppercase", lookOf[line.level as Level])}>{line.level}</span>
              {line.task && (
                <span className="max-w-32 shrink-0 truncate text-ink-soft max-sm:hidden">{nameOf(line.task)}</span>
              )}
              <span className="min-w-0 whitespace-pre-wrap break-words">{line.message}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Who scrolls up wants to read, not to be carried on: with a wheel, by keyboard, with a finger, or at the bar itself. */
function useScrolledUp() {
  const touchedAt = useRef(0);
  const place = ({ touches }: TouchEvent) => touches[0]?.clientY ?? 0;
  return (tell: () => void): HTMLAttributes<HTMLElement> => ({
    onWheel: ({ deltaY }) => deltaY < 0 && tell(),
    onKeyDown: ({ key }) => ["ArrowUp", "PageUp", "Home"].includes(key) && tell(),
    onTouchStart: (event) => {
      touchedAt.current = place(event);
    },
    onTouchMove: (event) => place(event) > touchedAt.current && tell(),
    onPointerDown: ({ currentTarget, nativeEvent }) => nativeEvent.offsetX >= currentTarget.clientWidth && tell(),
  });
}
