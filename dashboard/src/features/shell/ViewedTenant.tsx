// Says, on every page, that one looks at somebody else's things.
import { Building2, Undo2 } from "lucide-react";
import { useViewed } from "@/api/viewing";
import { Button } from "@/components/Button";
import { useLanguage } from "@/i18n/language";
import { useLookAt } from "./useLookAt";

export function ViewedTenant() {
  const { t } = useLanguage();
  const tenant = useViewed();
  const lookAt = useLookAt();
  if (!tenant) return null;
  return (
    <div
      role="status"
      className="status-waiting flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b bg-status-tint px-4 py-1.5 sm:px-6 lg:px-8"
    >
      <Building2 className="size-4 shrink-0 text-status" aria-hidden />
      <p className="min-w-0 flex-1 truncate">
        <span className="text-ink-soft">{t("viewing.tenant")} </span>
        <span className="font-medium text-status">{tenant.name}</span>
      </p>
      <Button size="small" icon={Undo2} onClick={() => void lookAt(undefined)}>
        {t("viewing.back")}
      </Button>
    </div>
  );
}
