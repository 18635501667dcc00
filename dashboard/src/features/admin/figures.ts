// Pure: the figures of a report, as a table says them.
import type { Report } from "@/api/generated/schema";
import type { Formats } from "@/i18n/format";

/** The benchmarks that have a name in the reader's language. */
export const benchmarks = ["throughput", "latency", "fanout", "history", "recovery", "chaos"] as const;

/** What one wants to know of each first. */
const FOREMOST: Record<string, string> = {
  throughput: "executions_per_second",
  latency: "p99_ms",
  fanout: "p99_ms",
  recovery: "all_resumed_after_ms",
};

type Workload = Report["workloads"][number];

export interface Figure {
  /** In words: `executions per second`. */
  measure: string;
  value: string;
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

function said(name: string, value: unknown, formats: Formats): string {
  if (typeof value !== "number") return String(value);
  if (!name.endsWith("_ms")) return formats.number(value);
  return value < 10 ? `${formats.number(value)} ms` : formats.duration(value);
}

/** Everything that was measured of a workload. */
export function figuresOf(workload: Workload, formats: Formats): Figure[] {
  return Object.entries(workload)
    .filter(([name]) => name !== "name" && name !== "store")
    .map(([name, value]) => ({ measure: words(name).replace(/ ms$/, ""), value: said(name, value, formats) }));
}

/** The foremost figure of each workload: `effects: 6 193 executions per second`. */
export function foremost(report: Report, formats: Formats): string | undefined {
  const name = FOREMOST[report.benchmark];
  if (name === undefined) return undefined;
  const parts = report.workloads
    .filter((workload) => workload[name] !== undefined)
    .map((workload) => {
      const value = said(name, workload[name], formats);
      const figure = name.endsWith("_ms") ? `${words(name).replace(/ ms$/, "")} ${value}` : `${value} ${words(name)}`;
      return report.workloads.length > 1 ? `${String(workload.name)}: ${figure}` : figure;
    });
  return parts.length > 0 ? parts.join(" · ") : undefined;
}
