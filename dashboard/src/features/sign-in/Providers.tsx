// The other ways in: a button per provider that the service knows, and why one of them has not led in.
import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { CircleAlert, KeyRound } from "lucide-react";
import { providerAddress, providersOptions } from "@/api/auth";
import { buttonClass } from "@/components/Button";
import { useLanguage } from "@/i18n/language";

/** Where to go afterwards. */
export function Providers({ next }: { next?: string }) {
  const { t } = useLanguage();
  const { data: providers = [] } = useQuery(providersOptions);
  if (providers.length === 0) return null;
  return (
    <section aria-label={t("signIn.otherWays")} className="mt-5 space-y-2.5">
      <p className="flex items-center gap-3 text-[13px] text-ink-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        {t("signIn.or")}
      </p>
      {providers.map(({ id, label }) => (
        <a key={id} href={providerAddress(id, next)} className={clsx(buttonClass("plain"), "w-full")}>
          <KeyRound className="size-4 shrink-0" aria-hidden />
          <span className="truncate">{t("signIn.with", { name: label })}</span>
        </a>
      ))}
    </section>
  );
}

/** Why a provider has not led in, as the service names it. */
const reasons = [
  "address_taken",
  "cancelled",
  "inactive",
  "no_email",
  "no_role",
  "not_begun",
  "other_tenant",
  "provider_failed",
  "provider_unavailable",
  "service_failed",
] as const;

/** What the person can do about it. A reason that this page does not know is a failure like any other. */
export function ProviderProblem({ word }: { word: string }) {
  const { t } = useLanguage();
  const reason = reasons.find((one) => one === word) ?? "service_failed";
  return (
    <div role="alert" className="status-failed mb-4 flex gap-3 rounded-lg bg-status-tint p-4">
      <CircleAlert className="mt-0.5 size-[18px] shrink-0 text-status" aria-hidden />
      <p>{t(`signIn.problem.${reason}`)}</p>
    </div>
  );
}
