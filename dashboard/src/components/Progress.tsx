import { clsx } from "clsx";
import type { ProgressView } from "@/api/generated/schema";
import { useFormats, useLanguage } from "@/i18n/language";
import type { AnyStatus } from "./StatusBadge";

export function Progress({
  progress,
  status,
  className,
}: {
  progress: ProgressView;
  status: AnyStatus;
  className?: string;
}) {
  const { t } = useLanguage();
  const words = useProgressWords();
  const percent = Math.round(progress.fraction * 100);
  // How much there is to do is not known, or all that is known is that it does something.
  const isUnknown = isOpenEnded(progress) || (status === "running" && percent === 0);
  return (
    <div
      role="progressbar"
      aria-valuenow={isUnknown ? undefined : percent}
      aria-valuetext={isOpenEnded(progress) ? words(progress) : undefined}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label={t("execution.progress")}
      className={clsx(`status-${status} h-1.5 overflow-hidden rounded-full bg-line`, className)}
    >
      <div
        className={clsx(
          "h-full rounded-full bg-status-solid",
          !isUnknown
            ? "transition-[width] duration-500"
            : status === "running"
              ? "w-1/4 animate-sweep motion-reduce:w-full motion-reduce:opacity-35"
              : "w-full opacity-35",
        )}
        style={isUnknown ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}

/** It goes on, and nobody knows how many tasks there will be. */
function isOpenEnded({ completed_tasks, known_tasks }: ProgressView): boolean {
  return known_tasks === 0 && completed_tasks > 0;
}

/** How far it is: a part of the whole where that is known, or else how many tasks are done. */
export function useProgressWords(): (progress: ProgressView) => string {
  const { t } = useLanguage();
  const formats = useFormats();
  return (progress) =>
    isOpenEnded(progress)
      ? t("execution.tasksDone", { count: progress.completed_tasks, shown: formats.number(progress.completed_tasks) })
      : formats.percent(Math.round(progress.fraction * 100) / 100);
}
