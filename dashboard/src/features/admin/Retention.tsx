import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Eraser, LoaderCircle } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { adminKeys, decideRetention, previewRetention, retention, runRetention } from "@/api/admin";
import type { RetentionPreview, UpkeepState } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card, CardHead } from "@/components/Card";
import { Confirm } from "@/components/Dialog";
import { Fact } from "@/components/Fact";
import { StatusBadge } from "@/components/StatusBadge";
import { ProblemView, SkeletonCards } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago, Elapsed } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { Numbers } from "./Numbers";

const names = [
  "succeeded_days",
  "succeeded_count",
  "failed_days",
  "failed_count",
  "cancelled_days",
  "cancelled_count",
  "usage_days",
] as const;

export default function Retention() {
  const { t } = useLanguage();
  const { may } = useStanding();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(retention);
  const [preview, setPreview] = useState<RetentionPreview>();
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonCards count={3} className="space-y-4" />;
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_400px]">
      <Card className="overflow-hidden">
        <CardHead title={t("retention.policy")} />
        <div className="space-y-4 p-4">
          <p className="text-ink-soft">{t("retention.hint")}</p>
          <Numbers
            isReadOnly={!may("retention_write")}
            fields={names.map((name) => ({
              name,
              label: t(`retention.field.${name}`),
              value: data.policy[name] ?? null,
              fallback: data.defaults[name],
            }))}
            trial={{
              label: t("retention.preview"),
              act: async (values) => setPreview(await previewRetention(values)),
            }}
            onSave={async (values) => {
              await decideRetention(values);
              toast.success(t("retention.saved"));
              setPreview(undefined);
              await queries.invalidateQueries({ queryKey: adminKeys.retention });
            }}
          />
        </div>
      </Card>
      <div className="space-y-5">
        {preview && <Preview preview={preview} />}
        <Upkeep upkeep={data.upkeep} />
      </div>
    </div>
  );
}

const ended = ["succeeded", "failed", "cancelled"] as const;

function Preview({ preview }: { preview: RetentionPreview }) {
  const { t } = useLanguage();
  const formats = useFormats();
  return (
    <Card className="animate-appear overflow-hidden" role="status">
      <CardHead title={t("retention.wouldGo")} />
      {preview.total === 0 ? (
        <p className="p-4 text-ink-soft">{t("retention.nothing")}</p>
      ) : (
        <>
          <ul className="divide-y">
            {ended.map((status) => (
              <li key={status} className="flex items-center justify-between px-4 py-2">
                <StatusBadge status={status} />
                <span className="tabular font-medium">{formats.number(preview.executions[status] ?? 0)}</span>
              </li>
            ))}
          </ul>
          <p className="border-t px-4 py-3 text-[13px] text-ink-soft">
            {t(preview.is_complete ? "retention.total" : "retention.totalAtLeast", {
              shown: formats.number(preview.total),
            })}
            {preview.oldest_finished_at && preview.newest_finished_at && (
              <>
                {" "}
                {t("retention.span", {
                  from: formats.moment(preview.oldest_finished_at),
                  to: formats.moment(preview.newest_finished_at),
                })}
              </>
            )}
          </p>
        </>
      )}
    </Card>
  );
}

/** Rounds of deleting: the last one, the one that runs, the next one. */
function Upkeep({ upkeep }: { upkeep: UpkeepState }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { may } = useStanding();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const run = useMutation({
    mutationFn: runRetention,
    onSuccess: (state) => queries.setQueryData(adminKeys.retention, state),
    onError: tellProblem,
    onSettled: () => setAsking(false),
  });
  const last = upkeep.last_round;
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("retention.rounds")}>
        {may("engine_steer") && (
          <Button size="small" icon={Eraser} disabled={upkeep.running_since != null} onClick={() => setAsking(true)}>
            {t("retention.run")}
          </Button>
        )}
      </CardHead>
      <dl className="space-y-3 p-4">
        {upkeep.running_since && (
          <Fact name={t("retention.running")}>
            <span className="status-running flex items-center gap-1.5 text-status">
              <LoaderCircle className="size-4 animate-spin" aria-hidden />
              <Elapsed from={upkeep.running_since} />
            </span>
          </Fact>
        )}
        <Fact name={t("retention.last")}>
          {last ? (
            <>
              <Ago at={last.finished_at} />
              {" · "}
              {t("retention.deleted", {
                count: last.deleted_executions,
                shown: formats.number(last.deleted_executions),
              })}
              {!last.is_complete && <span className="block text-ink-soft">{t("retention.unfinished")}</span>}
            </>
          ) : (
            t("retention.noneYet")
          )}
        </Fact>
        {upkeep.next_at && <Fact name={t("retention.next")}>{formats.moment(upkeep.next_at)}</Fact>}
      </dl>
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => run.mutate()}
        title={t("retention.runTitle")}
        text={t("retention.runText")}
        action={t("retention.run")}
        isBusy={run.isPending}
      />
    </Card>
  );
}
