// That an execution has been done again, and what came of it: what one wants to know before one does it once more.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { executionDetail } from "@/api/executions";
import type { ExecutionDetail } from "@/api/generated/schema";
import { StatusBadge } from "@/components/StatusBadge";
import { problemOf } from "@/components/states";
import { Ago } from "@/components/time";
import { shortId } from "@/features/executions/Name";
import { useLanguage } from "@/i18n/language";

export function Continued({ execution, by }: { execution: ExecutionDetail; by: string }) {
  const { t } = useLanguage();
  const { data: retry, error } = useQuery(executionDetail(by));
  const isGone = !retry && error !== null && [403, 404].includes(problemOf(error).status);
  // It may be the retry of what this one is only a part of.
  const isOfWhole = retry !== undefined && retry.forked_from?.execution_id !== execution.id;
  return (
    <section aria-label={t("retries.label")} className="mb-4 flex gap-3 rounded-xl border bg-surface px-4 py-3">
      <RotateCcw className="mt-0.5 size-4 shrink-0 text-accent-text" aria-hidden />
      {isGone ? (
        <p>{t("retries.gone", { id: shortId(by) })}</p>
      ) : (
        <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1.5">
          <Link to="/executions/$id" params={{ id: by }} className="font-medium text-accent-text hover:underline">
            {t(isOfWhole ? "retries.ofWhole" : "retries.as", { id: shortId(by) })}
          </Link>
          {retry && (
            <>
              <StatusBadge status={retry.status} />
              <span className="text-ink-soft text-xs">
                <Ago at={retry.created_at} />
              </span>
            </>
          )}
        </div>
      )}
    </section>
  );
}
