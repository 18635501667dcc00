// The way in: with e-mail address and password, with a provider, or with a one-time link that lets one choose a password.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { type FieldErrors, useForm } from "react-hook-form";
import { firstSignIn, signIn } from "@/api/auth";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Line } from "@/components/Line";
import { ProblemView, problemOf } from "@/components/states";
import { useTitle } from "@/components/useTitle";
import { useLanguage } from "@/i18n/language";
import { forget } from "@/live/forget";
import { ProviderProblem, Providers } from "./Providers";

const route = getRouteApi("/sign-in");
const MIN_PASSWORD_CHARACTERS = 10;

interface Values {
  email: string;
  password: string;
  name: string;
  tenant: string;
}

export function SignInPage() {
  const { t } = useLanguage();
  const { token: linked, next, problem } = route.useSearch();
  const navigate = useNavigate();
  // The token works once and for whoever has it: it does not stay in the address, nor in the history.
  const [token] = useState(linked);
  useEffect(() => {
    if (linked) void navigate({ to: "/sign-in", search: { next }, replace: true });
  }, [linked, next, navigate]);
  useTitle(t(token ? "signIn.first" : "signIn.title"));
  const [needsTenant, setNeedsTenant] = useState(false);
  const { register, handleSubmit, formState } = useForm<Values>({
    defaultValues: { email: "", password: "", name: "", tenant: "" },
  });
  const queries = useQueryClient();
  const enter = useMutation({
    mutationFn: ({ email, password, name, tenant }: Values) =>
      token
        ? firstSignIn({ token, password, email: email || undefined, display_name: name || undefined })
        : signIn({ email, password, tenant: tenant || undefined }),
    onSuccess() {
      // Somebody else may have been here before.
      forget(queries);
      // Only addresses of the dashboard: a link must not lead elsewhere.
      return navigate({ href: next?.startsWith("/") && !next.startsWith("//") ? next : "/", replace: true });
    },
    // The service does not tell strangers whether an address is known in several tenants: whoever is refused may say which.
    onError: (error) => setNeedsTenant((known) => known || (!token && problemOf(error).status === 401)),
  });
  const { errors } = formState;
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <Card className="w-full max-w-sm p-6 sm:p-8">
        <div className="mb-6 flex items-center gap-3">
          <img src="/favicon.svg" alt="" className="size-9" />
          <div>
            <h1 className="font-semibold text-lg tracking-tight">{t(token ? "signIn.first" : "signIn.title")}</h1>
            <p className="text-[13px] text-ink-soft">{t(token ? "signIn.firstHint" : "signIn.hint")}</p>
          </div>
        </div>
        {problem && !enter.error && <ProviderProblem word={problem} />}
        <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => enter.mutate(values))}>
          {token && (
            <Line label={t("signIn.name")}>
              <input {...register("name", { maxLength: 120 })} autoComplete="name" className="field mt-1 w-full" />
            </Line>
          )}
          <Line
            label={t(token ? "signIn.emailOptional" : "signIn.email")}
            hint={token && t("signIn.emailHint")}
            problem={errors.email && t("signIn.emailNeeded")}
          >
            <input
              {...register("email", { required: !token, pattern: /.+@.+/ })}
              type="email"
              autoComplete="username"
              className="field mt-1 w-full"
            />
          </Line>
          <Line
            label={t(token ? "signIn.newPassword" : "signIn.password")}
            hint={
              token && !errors.password ? t("signIn.passwordNeeded", { count: MIN_PASSWORD_CHARACTERS }) : undefined
            }
            problem={
              passwordProblem(errors, Boolean(token)) &&
              (token ? t("signIn.passwordNeeded", { count: MIN_PASSWORD_CHARACTERS }) : t("signIn.passwordMissing"))
            }
          >
            <input
              {...register("password", {
                required: true,
                minLength: token ? MIN_PASSWORD_CHARACTERS : 1,
                maxLength: 256,
              })}
              type="password"
              autoComplete={token ? "new-password" : "current-password"}
              className="field mt-1 w-full"
            />
          </Line>
          {needsTenant && (
            <Line label={t("signIn.tenant")}>
              <input {...register("tenant")} autoComplete="organization" className="field mt-1 w-full" />
            </Line>
          )}
          {enter.error && <ProblemView error={enter.error} />}
          <Button type="submit" look="primary" icon={LogIn} isBusy={enter.isPending} className="w-full">
            {t(token ? "signIn.begin" : "signIn.enter")}
          </Button>
        </form>
        {!token && <Providers next={next} />}
        {!token && <p className="mt-5 text-[13px] text-ink-soft">{t("signIn.firstRun")}</p>}
      </Card>
    </main>
  );
}

function passwordProblem(errors: FieldErrors<Values>, isNew: boolean): boolean {
  return errors.password !== undefined && (isNew || errors.password.type === "required");
}
