import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { adminKeys, decideRetention, retention } from "@/api/admin";
import { useStanding } from "@/api/me";
import { Card, CardHead } from "@/components/Card";
import { ProblemView, Skeleton } from "@/components/states";
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
  const { t } = useTranslation();
  const { may } = useStanding();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(retention);
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-72 w-full rounded-xl" />;
  return (
    <Card className="max-w-3xl overflow-hidden">
      <CardHead title={t("admin.section.retention")} />
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
          onSave={async (values) => {
            await decideRetention(values);
            toast.success(t("retention.saved"));
            await queries.invalidateQueries({ queryKey: adminKeys.retention });
          }}
        />
      </div>
    </Card>
  );
}
