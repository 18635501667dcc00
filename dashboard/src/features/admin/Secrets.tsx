import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Lock, Plus } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { adminKeys, putSecret, removeSecret, secretList } from "@/api/admin";
import type { SecretView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Confirm, Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { Ago } from "@/components/time";
import { tellProblem } from "@/features/executions/useCommand";
import { FormEnd, Item, More, Pill } from "./parts";

export default function Secrets() {
  const { t } = useTranslation();
  const { may } = useStanding();
  const list = useInfiniteQuery(secretList);
  // The name of the one whose value is set, empty for a further one.
  const [setting, setSetting] = useState<string>();
  const secrets = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0 flex-1 basis-64 text-[13px] text-ink-soft">{t("secrets.hint")}</p>
        {may("secret_write") && (
          <Button look="primary" icon={Plus} onClick={() => setSetting("")}>
            {t("secrets.new")}
          </Button>
        )}
      </div>
      <Card className="overflow-hidden">
        {list.error && !secrets ? (
          <ProblemView error={list.error} retry={() => void list.refetch()} className="m-4" />
        ) : !secrets ? (
          <SkeletonRows />
        ) : secrets.length === 0 ? (
          <Empty icon={Lock} title={t("secrets.none")} />
        ) : (
          <ul className="divide-y">
            {secrets.map((secret) => (
              <Secret key={secret.name} secret={secret} onSet={() => setSetting(secret.name)} />
            ))}
          </ul>
        )}
        <More hasMore={list.hasNextPage} isReading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      </Card>
      <Dialog
        isOpen={setting !== undefined}
        onClose={() => setSetting(undefined)}
        title={t(setting ? "secrets.set" : "secrets.new")}
      >
        <SecretForm name={setting ?? ""} onClose={() => setSetting(undefined)} />
      </Dialog>
    </>
  );
}

function Secret({ secret, onSet }: { secret: SecretView; onSet: () => void }) {
  const { t } = useTranslation();
  const { may } = useStanding();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => removeSecret(secret.name),
    onError: tellProblem,
    onSettled() {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: adminKeys.secrets });
    },
  });
  return (
    <Item
      title={
        <>
          <span className="break-all font-mono">{secret.name}</span>
          {!secret.is_readable && <Pill look="bad">{t("secrets.unreadable")}</Pill>}
        </>
      }
      about={
        <span>
          {t("secrets.updated")} <Ago at={secret.updated_at} />
        </span>
      }
    >
      {may("secret_write") && (
        <div className="flex flex-wrap justify-end gap-2">
          <Button size="small" onClick={onSet}>
            {t("secrets.set")}
          </Button>
          <Button size="small" look="quiet" onClick={() => setAsking(true)}>
            {t("secrets.remove")}
          </Button>
        </div>
      )}
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate()}
        title={t("secrets.removeTitle", { name: secret.name })}
        text={t("secrets.removeText")}
        action={t("secrets.remove")}
        isBusy={remove.isPending}
      />
    </Item>
  );
}

function SecretForm({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name, value: "" } });
  const save = useMutation({
    mutationFn: (values: { name: string; value: string }) => putSecret(values.name, values.value),
    // The value does not stay in the memory of the page.
    gcTime: 0,
    onSuccess(stored) {
      void queries.invalidateQueries({ queryKey: adminKeys.secrets });
      toast.success(t("secrets.stored", { name: stored.name }));
      onClose();
    },
  });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
      <Line label={t("secrets.name")} problem={errors.name && t("secrets.nameNeeded")}>
        <input
          {...register("name", { required: true })}
          readOnly={name !== ""}
          autoComplete="off"
          spellCheck={false}
          className="field mt-1 w-full font-mono"
        />
      </Line>
      <Line label={t("secrets.value")} problem={errors.value && t("secrets.valueNeeded")}>
        <input
          {...register("value", { required: true, minLength: 6 })}
          type="password"
          autoComplete="new-password"
          className="field mt-1 w-full font-mono"
        />
      </Line>
      {save.error && <ProblemView error={save.error} />}
      <FormEnd onClose={onClose} isBusy={save.isPending} action={t("action.save")} />
    </form>
  );
}
