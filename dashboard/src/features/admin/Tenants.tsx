import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { adminKeys, changeTenant, createTenant, tenantList } from "@/api/admin";
import type { TenantView } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView, SkeletonRows } from "@/components/states";
import { Numbers } from "./Numbers";
import { FormEnd, Item, More, Pill } from "./parts";

const limits = [
  "max_running_executions",
  "max_queued_executions",
  "max_tokens_per_month",
  "max_cost_per_month",
] as const;

export default function Tenants() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const list = useInfiniteQuery(tenantList);
  const [isAdding, setAdding] = useState(false);
  const [limited, setLimited] = useState<TenantView>();
  const tenants = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex justify-end">
        <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
          {t("tenants.new")}
        </Button>
      </div>
      <Card className="overflow-hidden">
        {list.error && !tenants ? (
          <ProblemView error={list.error} retry={() => void list.refetch()} className="m-4" />
        ) : !tenants ? (
          <SkeletonRows />
        ) : (
          <ul className="divide-y">
            {tenants.map((tenant) => (
              <Item
                key={tenant.id}
                isOff={!tenant.is_active}
                title={
                  <>
                    <span className="truncate">{tenant.name}</span>
                    {!tenant.is_active && <Pill look="off">{t("users.inactive")}</Pill>}
                  </>
                }
                about={<span className="font-mono text-xs leading-5">{tenant.slug}</span>}
              >
                <Button size="small" onClick={() => setLimited(tenant)}>
                  {t("limits.title")}
                </Button>
              </Item>
            ))}
          </ul>
        )}
        <More hasMore={list.hasNextPage} isReading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      </Card>
      <Dialog isOpen={isAdding} onClose={() => setAdding(false)} title={t("tenants.new")}>
        <TenantForm onClose={() => setAdding(false)} />
      </Dialog>
      <Dialog
        isOpen={limited !== undefined}
        onClose={() => setLimited(undefined)}
        title={t("limits.of", { name: limited?.name ?? "" })}
        isWide
      >
        <p className="mb-4 text-ink-soft">{t("limits.hint")}</p>
        {limited && (
          <Numbers
            fields={limits.map((name) => ({
              name,
              label: t(`limits.field.${name}`),
              value: limited.limits[name] ?? null,
            }))}
            onSave={async (values) => {
              await changeTenant(limited.id, { limits: values });
              toast.success(t("limits.saved"));
              setLimited(undefined);
              await queries.invalidateQueries({ queryKey: adminKeys.tenants });
            }}
          />
        )}
      </Dialog>
    </>
  );
}

function TenantForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name: "", slug: "" } });
  const add = useMutation({
    mutationFn: createTenant,
    onSuccess() {
      void queries.invalidateQueries({ queryKey: adminKeys.tenants });
      onClose();
    },
  });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => add.mutate(values))}>
      <Line label={t("secrets.name")} problem={errors.name && t("secrets.nameNeeded")}>
        <input {...register("name", { required: true, maxLength: 120 })} className="field mt-1 w-full" />
      </Line>
      <Line label={t("tenants.slug")} hint={t("tenants.slugHint")} problem={errors.slug && t("tenants.slugHint")}>
        <input
          {...register("slug", { required: true, pattern: /^[a-z0-9-]{1,63}$/ })}
          className="field mt-1 w-full font-mono"
        />
      </Line>
      {add.error && <ProblemView error={add.error} />}
      <FormEnd onClose={onClose} isBusy={add.isPending} action={t("tenants.new")} />
    </form>
  );
}
