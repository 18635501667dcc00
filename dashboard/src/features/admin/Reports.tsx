// What was measured on this machine, and whether every promise was kept when the service was killed at random.
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, CircleCheck, CircleX } from "lucide-react";
import type { Report, ReportFile } from "@/api/generated/schema";
import { reports } from "@/api/reports";
import { Card, CardHead } from "@/components/Card";
import { Fact } from "@/components/Fact";
import { ProblemView, SkeletonCards } from "@/components/states";
import { Ago } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { benchmarks, figuresOf, foremost } from "./figures";

export function Reports() {
  const { t } = useLanguage();
  const { data, error, refetch } = useQuery(reports);
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonCards count={1} className="" />;
  return (
    <Card>
      <CardHead title={t("reports.title")} />
      {data.items.length === 0 && (
        <div className="p-4 text-ink-soft">
          <p>{t("reports.none")}</p>
          <code className="mt-2 block overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-ink text-xs">
            {`callboard bench throughput --json ${data.folder}/throughput.json`}
          </code>
        </div>
      )}
      <ul className="divide-y">
        {data.items.map((item) => (
          <li key={item.file}>
            <Item item={item} />
          </li>
        ))}
      </ul>
      {data.unreadable.map(({ file, detail }) => (
        <p key={file} className="break-words border-t px-4 py-3 text-[13px] text-ink-soft">
          {t("reports.unreadable", { file, detail })}
        </p>
      ))}
    </Card>
  );
}

function Item({ item }: { item: ReportFile }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const name = benchmarks.find((one) => one === item.benchmark);
  return (
    <details className="group">
      <summary className="flex cursor-pointer list-none flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3 hover:bg-sunken [&::-webkit-details-marker]:hidden">
        <ChevronRight
          className="size-4 shrink-0 text-ink-faint transition-transform group-open:rotate-90"
          aria-hidden
        />
        <span className="font-medium">{name ? t(`reports.benchmark.${name}`) : item.benchmark}</span>
        <span className="text-ink-faint text-xs">{item.store}</span>
        {item.violations && <Promises violations={item.violations} />}
        <span className="min-w-0 text-[13px] text-ink-soft">{foremost(item, formats)}</span>
        <span className="ml-auto text-ink-faint text-xs">
          <Ago at={item.taken_at} />
        </span>
      </summary>
      <div className="space-y-4 px-4 pt-1 pb-4 sm:pl-11">
        <Circumstances report={item} />
        {item.violations && item.violations.length > 0 && (
          <ul className="list-disc space-y-1 break-words pl-5 text-[13px] text-danger">
            {item.violations.map((violation) => (
              <li key={violation}>{violation}</li>
            ))}
          </ul>
        )}
        <div className="grid gap-4 md:grid-cols-2">
          {item.workloads.map((workload) => (
            <section key={String(workload.name)} className="min-w-0">
              <h3 className="mb-1 font-medium text-[13px]">{String(workload.name)}</h3>
              <dl className="text-[13px]">
                {figuresOf(workload, formats).map(({ measure, value }) => (
                  <div key={measure} className="flex justify-between gap-4 border-b py-1 last:border-b-0">
                    <dt className="text-ink-soft">{measure}</dt>
                    <dd className="tabular text-right">{value}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </div>
    </details>
  );
}

function Promises({ violations }: { violations: readonly string[] }) {
  const { t } = useLanguage();
  const isKept = violations.length === 0;
  const Icon = isKept ? CircleCheck : CircleX;
  return (
    <span
      className={`${isKept ? "status-succeeded" : "status-failed"} flex items-center gap-1 rounded-full bg-status-tint px-2 py-0.5 font-medium text-status text-xs`}
    >
      <Icon className="size-3.5" aria-hidden />
      {isKept ? t("reports.kept") : t("reports.broken", { count: violations.length })}
    </span>
  );
}

function Circumstances({ report }: { report: Report }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { hardware } = report;
  const gigabytes = formats.number(Math.round(hardware.memory_bytes / 2 ** 30));
  const settings = Object.entries(report.settings).map(([key, value]) => `${key}=${value}`);
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3 text-[13px]">
      <Fact name={t("reports.takenAt")}>{formats.moment(report.taken_at)}</Fact>
      <Fact name={t("reports.machine")}>
        {t("reports.hardware", { cpu: hardware.cpu, cores: hardware.cores, memory: gigabytes })}
      </Fact>
      <Fact name={t("health.version")}>{`${report.version} (${report.commit.slice(0, 8)})`}</Fact>
      <Fact name={t("reports.seed")}>{report.seed}</Fact>
      {settings.length > 0 && (
        <Fact name={t("reports.settings")}>
          <span className="font-mono text-xs">{settings.join(" ")}</span>
        </Fact>
      )}
    </dl>
  );
}
