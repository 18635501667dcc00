import { HardDriveUpload } from "lucide-react";
import { Button } from "@/components/Button";
import { useLanguage } from "@/i18n/language";
import { postponeTakingOver, useIsPostponed, useLocalViews } from "./localViews";
import { useTakingOver } from "./useTakingOver";

/** Offers once to take over what this browser had saved before the service kept views. Later, the menu still does. */
export function TakingOver() {
  const { t } = useLanguage();
  const locals = useLocalViews();
  const isPostponed = useIsPostponed();
  const takeOver = useTakingOver();
  if (locals.length === 0 || isPostponed) return null;
  return (
    <section
      aria-label={t("views.local")}
      className="flex basis-full flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border bg-accent-soft px-4 py-2.5"
    >
      <p className="min-w-0 flex-1 basis-60">{t("views.localText", { count: locals.length })}</p>
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          look="primary"
          icon={HardDriveUpload}
          isBusy={takeOver.isPending}
          onClick={() => takeOver.mutate()}
        >
          {t("views.takeOver")}
        </Button>
        <Button size="small" look="quiet" onClick={postponeTakingOver}>
          {t("action.keep")}
        </Button>
      </div>
    </section>
  );
}
