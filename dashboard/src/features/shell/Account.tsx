// What people may change about themselves: how they are called, and their password.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { toast } from "sonner";
import { changeMe } from "@/api/auth";
import type { UserView } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";
import { useLanguage } from "@/i18n/language";

const MIN_PASSWORD_CHARACTERS = 10;

interface Values {
  name: string;
  current: string;
  password: string;
}

export default function Account({ person, onClose }: { person: UserView; onClose: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { register, handleSubmit, watch, formState } = useForm<Values>({
    defaultValues: { name: person.display_name, current: "", password: "" },
  });
  const save = useMutation({
    mutationFn: ({ name, current, password }: Values) =>
      changeMe(queries, {
        display_name: name.trim() === person.display_name ? undefined : name.trim(),
        ...(password ? { password, current_password: current } : {}),
      }),
    // Passwords do not stay in the memory of the page.
    gcTime: 0,
    onSuccess(_, { password }) {
      onClose();
      toast.success(t(password ? "account.passwordChanged" : "account.changed"));
    },
  });
  const { errors } = formState;
  const wantsPassword = watch("password") !== "";
  return (
    <Dialog isOpen onClose={onClose} title={t("account.title")}>
      <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
        <p className="break-all text-ink-soft">{`${person.email} · ${t(`role.${person.role}`)}`}</p>
        <Line label={t("signIn.name")} problem={errors.name && t("users.nameNeeded")}>
          <input
            {...register("name", { required: true, maxLength: 120, validate: (name) => name.trim() !== "" })}
            autoComplete="name"
            className="field mt-1 w-full"
          />
        </Line>
        {person.has_password && (
          <>
            <Line
              label={t("signIn.newPassword")}
              hint={t("account.passwordHint")}
              problem={errors.password && t("signIn.passwordNeeded", { count: MIN_PASSWORD_CHARACTERS })}
            >
              <input
                {...register("password", { minLength: MIN_PASSWORD_CHARACTERS, maxLength: 256 })}
                type="password"
                autoComplete="new-password"
                className="field mt-1 w-full"
              />
            </Line>
            {wantsPassword && (
              <Line label={t("account.current")} problem={errors.current && t("signIn.passwordMissing")}>
                <input
                  {...register("current", { required: wantsPassword, maxLength: 256 })}
                  type="password"
                  autoComplete="current-password"
                  className="field mt-1 w-full"
                />
              </Line>
            )}
          </>
        )}
        {save.error && <ProblemView error={save.error} />}
        <DialogEnd>
          <Button onClick={onClose}>{t("action.close")}</Button>
          <Button type="submit" look="primary" isBusy={save.isPending}>
            {t("action.save")}
          </Button>
        </DialogEnd>
      </form>
    </Dialog>
  );
}
