import { clsx } from "clsx";
import { useLanguage } from "@/i18n/language";
import type { AnyStatus } from "./StatusBadge";

export function Progress({ fraction, status, className }: { fraction: number; status: AnyStatus; className?: string }) {
  const { t } = useLanguage();
  const percent = Math.round(fraction * 100);
  return (
    <div
      role="progressbar"
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label={t("execution.progress")}
      className={clsx(`status-${status} h-1.5 overflow-hidden rounded-full bg-line`, className)}
    >
      <div
        className="h-full rounded-full bg-status-solid transition-[width] duration-500"
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}
