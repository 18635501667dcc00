// What is shown when there is nothing, not yet something, or something went wrong.

import { clsx } from "clsx";
import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { ProblemError, unreachable } from "@/api/client";
import type { Problem } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";
import { DEFINITION, useProblemWords, useServiceWords } from "@/i18n/words";
import { Advice } from "./Advice";
import { Button } from "./Button";
import { Copy } from "./Copy";

export function Empty({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1.5 px-6 py-14 text-center">
      <span className="mb-2 grid size-11 place-items-center rounded-full bg-sunken text-ink-faint">
        <Icon className="size-5" aria-hidden />
      </span>
      <p className="font-medium">{title}</p>
      <div className="max-w-md text-ink-soft">{children}</div>
    </div>
  );
}

export function Skeleton({ className = "" }: { className?: string }) {
  return (
    <div
      aria-hidden
      className={clsx("animate-pulse bg-line", !className.includes("rounded") && "rounded-md", className)}
    />
  );
}

/** A part of a page that is on its way. */
export function SkeletonPanel({ className }: { className?: string }) {
  const { t } = useLanguage();
  return (
    <div
      role="status"
      aria-label={t("state.loading")}
      className={clsx("space-y-3 rounded-xl border bg-surface p-4 shadow-card", className)}
    >
      <Skeleton className="h-4 w-40 max-w-full" />
      <Skeleton className="h-3.5 w-72 max-w-full" />
      <Skeleton className="h-3.5 w-56 max-w-full" />
    </div>
  );
}

/** The page of one thing that is on its way: where it belongs, its name, a few facts, and what it is about. */
export function SkeletonPage() {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("state.loading")} className="flex min-h-0 flex-1 flex-col">
      <Skeleton className="mb-3 h-3.5 w-24" />
      <Skeleton className="mb-4 h-6 w-72 max-w-full" />
      <div className="mb-5 flex gap-7 max-sm:hidden">
        {[56, 72, 64, 80].map((width) => (
          <div key={width} className="space-y-1.5">
            <Skeleton className="h-3 w-12" />
            <div style={{ width }}>
              <Skeleton className="h-3.5" />
            </div>
          </div>
        ))}
      </div>
      <Skeleton className="mb-3 h-9 w-full max-w-md" />
      <SkeletonPanel className="min-h-[420px] flex-1" />
    </div>
  );
}

/** Cards that are on their way. */
export function SkeletonCards({ count, className }: { count: number; className: string }) {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("state.loading")} className={className}>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className="space-y-3 rounded-xl border bg-surface p-4 shadow-card">
          <Skeleton className="h-4 w-28" />
          <Skeleton className="h-7 w-40 max-w-full" />
          <Skeleton className="h-3.5 w-full" />
        </div>
      ))}
    </div>
  );
}

/** Rows that are on their way: of executions with their status, of things with a line about them, or of single lines. */
export function SkeletonRows({
  count = 6,
  look = "things",
}: {
  count?: number;
  look?: "executions" | "things" | "lines";
}) {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("state.loading")} className="divide-y">
      {Array.from({ length: count }, (_, index) => (
        <div
          key={index}
          className={clsx("flex items-center gap-4 px-4", { executions: "h-14", things: "h-16", lines: "h-11" }[look])}
        >
          {look === "executions" && <Skeleton className="h-[22px] w-24 shrink-0 rounded-full" />}
          <div className="min-w-0 flex-1 space-y-2">
            <Skeleton className="h-3.5 w-44 max-w-full" />
            {look === "things" && <Skeleton className="h-3 w-64 max-w-full" />}
          </div>
          <Skeleton className="h-3.5 w-16 shrink-0" />
        </div>
      ))}
    </div>
  );
}

/** The id to ask about; nothing where there was no answer. */
export function RequestId({ problem }: { problem: Problem }) {
  const { t } = useLanguage();
  if (!problem.request_id) return null;
  return <Copy text={problem.request_id} label={t("state.requestId", { id: problem.request_id.slice(-8) })} />;
}

export function problemOf(error: unknown): Problem {
  return error instanceof ProblemError
    ? error.problem
    : unreachable(error instanceof Error ? error.message : String(error));
}

/** A problem: what kind, what exactly, what to do, and the id to ask about. */
export function ProblemView({ error, retry, className }: { error: unknown; retry?: () => void; className?: string }) {
  const { t } = useLanguage();
  const problem = problemOf(error);
  const { title, detail, suggestion } = useProblemWords(problem);
  const say = useServiceWords(DEFINITION);
  // What is not allowed, or not there, is no more so for being asked for again.
  const again = problem.status === 403 || problem.status === 404 ? undefined : retry;
  return (
    <div
      role="alert"
      className={clsx(
        "status-failed flex gap-3 rounded-xl border border-status-solid/30 bg-status-tint/50 p-4",
        className,
      )}
    >
      <CircleAlert className="mt-0.5 size-[18px] shrink-0 text-status" aria-hidden />
      <div className="min-w-0 max-w-3xl space-y-1">
        <p className="font-medium text-status">{title}</p>
        {detail && <p className="break-words">{detail}</p>}
        {(problem.errors ?? []).map((one, index) => (
          <p key={index} className="break-words font-mono text-[13px]">
            {[one.line && `${one.line}:${one.column}`, one.pointer ?? one.parameter, say(one.detail)]
              .filter(Boolean)
              .join("  ")}
          </p>
        ))}
        <Advice text={suggestion} />
        {(again || problem.request_id) && (
          <div className="flex flex-wrap items-center gap-2 pt-1.5">
            {again && (
              <Button size="small" onClick={again}>
                {t("action.tryAgain")}
              </Button>
            )}
            <RequestId problem={problem} />
          </div>
        )}
      </div>
    </div>
  );
}
