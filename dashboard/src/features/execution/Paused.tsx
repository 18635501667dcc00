// Somebody has paused an execution: who, when, and what comes to its end all the same.
import { CirclePause } from "lucide-react";
import { Ago } from "@/components/time";
import { useLanguage } from "@/i18n/language";
import type { Timeline } from "./timeline";
import { outside } from "./underWay";

export function Paused({ timeline }: { timeline: Timeline }) {
  const { t } = useLanguage();
  const pause = timeline.pauses.at(-1);
  if (!pause || pause.to !== undefined) return null;
  return (
    <div className="status-paused mb-4 flex gap-3 rounded-xl bg-status-tint px-4 py-3">
      <CirclePause className="mt-0.5 size-[18px] shrink-0 text-status" aria-hidden />
      <div className="min-w-0">
        <p>
          <span className="font-medium text-status">
            {pause.by ? t("paused.by", { name: pause.by }) : t("status.paused")}
          </span>
          <span className="text-ink-soft">
            {" · "}
            <Ago at={new Date(pause.from).toISOString()} />
          </span>
        </p>
        <StillRunning timeline={timeline} />
      </div>
    </div>
  );
}

/** That nothing new begins, and what is under way nevertheless. */
export function StillRunning({ timeline }: { timeline: Timeline }) {
  const { t } = useLanguage();
  const names = [...new Set(outside(timeline).map(({ name }) => name))];
  const first = names.slice(0, 3).join(t("paused.comma"));
  return (
    <p className="break-words">
      {names.length === 0
        ? t("paused.nothingRuns")
        : names.length <= 3
          ? t("paused.running", { names: first, count: names.length })
          : t("paused.runningMore", { names: first, count: names.length - 3 })}
    </p>
  );
}
