import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Lock, Plus, RefreshCcwDot } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { toast } from "sonner";
import { adminKeys, putSecret, removeSecret, rotateSecretKeys, secretList } from "@/api/admin";
import type { SecretView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Confirm, Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago } from "@/components/time";
import { useLanguage } from "@/i18n/language";
import { FormEnd, Item, More, Pill } from "./parts";
import { type SecretKind, secretKinds, secretOf } from "./secret";

export default function Secrets() {
  const { t } = useLanguage();
  const { may } = useStanding();
  const list = useInfiniteQuery(secretList);
  // The name of the one whose value is set, empty for a further one.
  const [setting, setSetting] = useState<string>();
  const secrets = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0 flex-1 basis-64 text-[13px] text-ink-soft">{t("secrets.hint")}</p>
        {may("engine_steer") && <Rotate />}
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
          <Empty icon={Lock} title={t("secrets.none")}>
            {t("secrets.noneHint")}
          </Empty>
        ) : (
          <ul className="divide-y">
            {secrets.map((secret) => (
              <Secret key={secret.name} secret={secret} onSet={() => setSetting(secret.name)} />
            ))}
          </ul>
        )}
        <More list={list} />
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

/** After another key has become the current one: encrypts with it what older ones have encrypted. */
function Rotate() {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const rotate = useMutation({
    mutationFn: rotateSecretKeys,
    onSuccess({ rotated, unreadable }) {
      void queries.invalidateQueries({ queryKey: adminKeys.secrets });
      const text = t("secrets.rotated", { count: rotated });
      if (unreadable > 0) toast.warning(text, { description: t("secrets.rotatedUnreadable", { count: unreadable }) });
      else toast.success(text);
    },
    onError: tellProblem,
    onSettled: () => setAsking(false),
  });
  return (
    <>
      <Button icon={RefreshCcwDot} onClick={() => setAsking(true)}>
        {t("secrets.rotate")}
      </Button>
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => rotate.mutate()}
        title={t("secrets.rotateTitle")}
        text={t("secrets.rotateText")}
        action={t("secrets.rotate")}
        isBusy={rotate.isPending}
        isHarmless
      />
    </>
  );
}

function Secret({ secret, onSet }: { secret: SecretView; onSet: () => void }) {
  const { t } = useLanguage();
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
        <>
          <span>
            {t("secrets.updated")} <Ago at={secret.updated_at} />
          </span>
          {may("engine_steer") && (
            <span className="text-ink-faint">
              {t("secrets.key")} <span className="font-mono text-xs">{secret.key_id}</span>
            </span>
          )}
        </>
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

interface Values {
  name: string;
  kind: SecretKind;
  text: string;
  object: string;
}

function SecretForm({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { register, handleSubmit, formState, watch } = useForm<Values>({
    defaultValues: { name, kind: "text", text: "", object: "" },
  });
  const kind = watch("kind");
  const save = useMutation({
    mutationFn: async (values: Values) => {
      const value = secretOf(values.kind, values[values.kind]);
      // The form does not let anything else pass.
      if (value === undefined) throw new Error(t("secrets.objectNeeded"));
      return putSecret(values.name, value);
    },
    // The value does not stay in the memory of the page.
    gcTime: 0,
    onSuccess(stored) {
      void queries.invalidateQueries({ queryKey: adminKeys.secrets });
      const text = t("secrets.stored", { name: stored.name });
      if (stored.unprotected.length === 0) toast.success(text);
      else {
        const parts = stored.unprotected.map((pointer) => pointer || "/").join(", ");
        toast.warning(text, { description: t("secrets.unprotected", { parts }), duration: 12_000 });
      }
      onClose();
    },
  });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
      <Line
        label={t("secrets.name")}
        hint={name ? undefined : t("secrets.nameHint")}
        problem={errors.name && t("secrets.nameHint")}
      >
        <input
          {...register("name", { required: true, maxLength: 128, pattern: /^[A-Za-z_][A-Za-z0-9_.-]*$/ })}
          readOnly={name !== ""}
          autoComplete="off"
          spellCheck={false}
          className="field mt-1 w-full font-mono"
        />
      </Line>
      <fieldset className="flex flex-wrap gap-x-5 gap-y-1">
        <legend className="mb-1 font-medium">{t("secrets.kind")}</legend>
        {secretKinds.map((one) => (
          <label key={one} className="flex items-center gap-2">
            <input type="radio" value={one} {...register("kind")} className="size-4 accent-[var(--accent)]" />
            {t(`secrets.kinds.${one}`)}
          </label>
        ))}
      </fieldset>
      {kind === "text" ? (
        <Line label={t("secrets.value")} problem={errors.text && t("secrets.valueNeeded")}>
          <input
            {...register("text", { validate: (text) => secretOf("text", text) !== undefined, shouldUnregister: true })}
            type="password"
            autoComplete="new-password"
            className="field mt-1 w-full font-mono"
          />
        </Line>
      ) : (
        <Line
          label={t("secrets.value")}
          hint={t("secrets.objectHint")}
          problem={errors.object && t("secrets.objectNeeded")}
        >
          <textarea
            {...register("object", {
              validate: (text) => secretOf("object", text) !== undefined,
              shouldUnregister: true,
            })}
            rows={6}
            autoComplete="off"
            spellCheck={false}
            placeholder={'{ "username": "…", "password": "…" }'}
            className="field mt-1 h-auto w-full py-2 font-mono text-[13px]"
          />
        </Line>
      )}
      {save.error && <ProblemView error={save.error} />}
      <FormEnd onClose={onClose} isBusy={save.isPending} action={t("action.save")} />
    </form>
  );
}
