import { clsx } from "clsx";
import { useFormats, useLanguage } from "@/i18n/language";
import { type LimitName, type Meter, partOf } from "./budget";

/** How much of each limit is used. */
export function Meters({ meters, className }: { meters: readonly Meter[]; className?: string }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const show = (name: LimitName, value: number) => {
    switch (name) {
      case "max_tokens":
      case "max_model_calls":
        return formats.number(value);
      case "max_cost_usd":
        return formats.dollars(value);
      case "max_wall_seconds":
        return formats.duration(value * 1_000);
    }
  };
  return (
    <dl className={clsx("grid gap-x-8 gap-y-3 sm:grid-cols-[repeat(auto-fit,minmax(180px,1fr))]", className)}>
      {meters.map((meter) => {
        const part = partOf(meter);
        const look = part >= 1 ? "status-failed" : part >= 0.8 ? "status-paused" : "status-running";
        return (
          <div key={meter.name} className={clsx(look, "max-w-80")}>
            <dt className="flex items-baseline justify-between gap-3 text-[13px] text-ink-soft">
              {t(`budget.limit.${meter.name}`)}
              <span className="tabular text-ink">
                {meter.spent !== undefined && (
                  <>
                    <span className="font-medium">{show(meter.name, meter.spent)}</span>
                    <span className="text-ink-soft"> / </span>
                  </>
                )}
                {show(meter.name, meter.limit)}
              </span>
            </dt>
            <dd className="mt-1">
              <div
                role="meter"
                aria-label={t(`budget.limit.${meter.name}`)}
                aria-valuenow={Math.min(meter.spent ?? 0, meter.limit)}
                aria-valuemin={0}
                aria-valuemax={meter.limit}
                aria-valuetext={`${show(meter.name, meter.spent ?? 0)} / ${show(meter.name, meter.limit)}`}
                className="flex h-1.5 overflow-hidden rounded-full bg-line"
              >
                <div
                  className="h-full bg-status-solid transition-[width] duration-500"
                  style={{ width: `${part * 100}%` }}
                />
                {meter.reserved > 0 && meter.limit > 0 && (
                  <div
                    className="h-full bg-status-solid opacity-40 transition-[width] duration-500"
                    style={{ width: `${Math.min(1 - part, meter.reserved / meter.limit) * 100}%` }}
                  />
                )}
              </div>
              {meter.reserved > 0 && (
                <p className="mt-1 text-ink-faint text-xs">
                  {t("budget.reserved", { shown: show(meter.name, meter.reserved) })}
                </p>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
