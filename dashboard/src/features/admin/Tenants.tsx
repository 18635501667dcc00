import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { DoorClosed, DoorOpen, Ellipsis, Eye, Gauge, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { toast } from "sonner";
import { adminKeys, changeTenant, createTenant, removeTenant, tenantList } from "@/api/admin";
import type { ChangeTenant, TenantView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Confirm, Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { Menu, MenuItem, MenuLine } from "@/components/Menu";
import { ProblemView, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago } from "@/components/time";
import { useLookAt } from "@/features/shell/useLookAt";
import { useLanguage } from "@/i18n/language";
import { limitFields } from "./limits";
import { Numbers } from "./Numbers";
import { FormEnd, Item, More, Pill } from "./parts";

export default function Tenants() {
  const { t } = useLanguage();
  const list = useInfiniteQuery(tenantList);
  const [isAdding, setAdding] = useState(false);
  const tenants = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0 flex-1 basis-64 text-[13px] text-ink-soft">{t("tenants.hint")}</p>
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
              <Tenant key={tenant.id} tenant={tenant} />
            ))}
          </ul>
        )}
        <More list={list} />
      </Card>
      <Dialog isOpen={isAdding} onClose={() => setAdding(false)} title={t("tenants.new")}>
        <TenantForm
          onClose={() => setAdding(false)}
          action={t("tenants.new")}
          onSave={(values) => createTenant(values)}
        />
      </Dialog>
    </>
  );
}

type Asked = "limits" | "rename" | "close" | "remove";

function Tenant({ tenant }: { tenant: TenantView }) {
  const { t } = useLanguage();
  const { tenantId } = useStanding();
  const queries = useQueryClient();
  const lookAt = useLookAt();
  const [asked, setAsked] = useState<Asked>();
  const isOwn = tenant.id === tenantId;
  const read = () => queries.invalidateQueries({ queryKey: adminKeys.tenants });
  const settled = { onError: tellProblem, onSettled: () => setAsked(undefined) };
  const change = useMutation({
    mutationFn: (body: ChangeTenant) => changeTenant(tenant.id, body),
    onSuccess() {
      toast.success(t("tenants.changed", { name: tenant.name }));
      return read();
    },
    ...settled,
  });
  const remove = useMutation({
    mutationFn: () => removeTenant(tenant.id),
    onSuccess() {
      toast.success(t("tenants.removed", { name: tenant.name }), { description: t("tenants.removedHint") });
      return read();
    },
    ...settled,
  });
  const close = () => setAsked(undefined);
  return (
    <Item
      isOff={!tenant.is_active}
      title={
        <>
          <span className="truncate">{tenant.name}</span>
          {isOwn && <span className="font-normal text-ink-faint text-xs">{t("tenants.own")}</span>}
          {!tenant.is_active && <Pill look="off">{t("users.inactive")}</Pill>}
        </>
      }
      about={
        <>
          <span className="font-mono text-xs leading-5">{tenant.slug}</span>
          <span className="text-ink-faint">
            <Ago at={tenant.created_at} />
          </span>
        </>
      }
    >
      {!isOwn && (
        <Button
          size="small"
          icon={Eye}
          className="max-sm:hidden"
          onClick={() => void lookAt({ id: tenant.id, name: tenant.name })}
        >
          {t("viewing.look")}
        </Button>
      )}
      <Menu trigger={<Button look="quiet" icon={Ellipsis} aria-label={t("users.actions", { name: tenant.name })} />}>
        {!isOwn && (
          <MenuItem icon={Eye} onSelect={() => void lookAt({ id: tenant.id, name: tenant.name })}>
            {t("viewing.look")}
          </MenuItem>
        )}
        <MenuItem icon={Gauge} onSelect={() => setAsked("limits")}>
          {t("limits.title")}
        </MenuItem>
        <MenuItem icon={Pencil} onSelect={() => setAsked("rename")}>
          {t("tenants.rename")}
        </MenuItem>
        {!isOwn && (
          <>
            <MenuLine />
            {tenant.is_active ? (
              <MenuItem icon={DoorClosed} onSelect={() => setAsked("close")}>
                {t("users.deactivate")}
              </MenuItem>
            ) : (
              <MenuItem icon={DoorOpen} onSelect={() => change.mutate({ is_active: true })}>
                {t("users.activate")}
              </MenuItem>
            )}
            <MenuItem icon={Trash2} isDangerous onSelect={() => setAsked("remove")}>
              {t("tenants.remove")}
            </MenuItem>
          </>
        )}
      </Menu>
      <Dialog isOpen={asked === "limits"} onClose={close} title={t("limits.of", { name: tenant.name })} isWide>
        <p className="mb-4 text-ink-soft">{t("limits.hint")}</p>
        <Numbers
          fields={limitFields(tenant).map((field) => ({ ...field, label: t(`limits.field.${field.name}`) }))}
          onSave={async (limits) => {
            await changeTenant(tenant.id, { limits });
            toast.success(t("limits.saved"));
            close();
            await read();
          }}
        />
      </Dialog>
      <Dialog isOpen={asked === "rename"} onClose={close} title={t("tenants.rename")}>
        <TenantForm
          tenant={tenant}
          onClose={close}
          action={t("action.save")}
          onSave={(values) => changeTenant(tenant.id, values)}
        />
      </Dialog>
      <Confirm
        isOpen={asked === "close"}
        onClose={close}
        onConfirm={() => change.mutate({ is_active: false })}
        title={t("users.deactivateTitle", { name: tenant.name })}
        text={t("tenants.closeText")}
        action={t("users.deactivate")}
        isBusy={change.isPending}
      />
      <Confirm
        isOpen={asked === "remove"}
        onClose={close}
        onConfirm={() => remove.mutate()}
        title={t("tenants.removeTitle", { name: tenant.name })}
        text={t("tenants.removeText")}
        action={t("tenants.remove")}
        typed={tenant.slug}
        isBusy={remove.isPending}
      />
    </Item>
  );
}

function TenantForm({
  tenant,
  action,
  onSave,
  onClose,
}: {
  tenant?: TenantView;
  action: string;
  onSave: (values: { name: string; slug: string }) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { register, handleSubmit, formState } = useForm({
    defaultValues: { name: tenant?.name ?? "", slug: tenant?.slug ?? "" },
  });
  const save = useMutation({
    mutationFn: onSave,
    onSuccess() {
      void queries.invalidateQueries({ queryKey: adminKeys.tenants });
      onClose();
    },
  });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
      <Line label={t("secrets.name")} problem={errors.name && t("secrets.nameNeeded")}>
        <input {...register("name", { required: true, maxLength: 120 })} className="field mt-1 w-full" />
      </Line>
      <Line label={t("tenants.slug")} hint={t("tenants.slugHint")} problem={errors.slug && t("tenants.slugHint")}>
        <input
          {...register("slug", { required: true, pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/ })}
          autoComplete="off"
          spellCheck={false}
          className="field mt-1 w-full font-mono"
        />
      </Line>
      {save.error && <ProblemView error={save.error} />}
      <FormEnd onClose={onClose} isBusy={save.isPending} action={action} />
    </form>
  );
}
