import { clsx } from "clsx";
import { useLanguage } from "@/i18n/language";
import type { AnyStatus } from "./StatusBadge";

export function Progress({ fraction, status, className }: { fraction: number; status: AnyStatus; className?: string }) {
  const { t } = useLanguage();
  const percent = Math.round(fraction * 100);
  // It does something, and how much of it is not known yet.
  const isUnknown = status === "running" && percent === 0;
  return (
    <div
      role="progressbar"
      aria-valuenow={isUnknown ? undefined : percent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label={t("execution.progress")}
      className={clsx(`status-${status} h-1.5 overflow-hidden rounded-full bg-line`, className)}
    >
      <div
        className={clsx(
          "h-full rounded-full bg-status-solid",
          isUnknown
            ? "w-1/4 animate-sweep motion-reduce:w-full motion-reduce:opacity-35"
            : "transition-[width] duration-500",
        )}
        style={isUnknown ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}
