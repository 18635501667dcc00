// Says when the page is not live. Nothing is shown while it is.
import { CloudOff } from "lucide-react";
import { useEffect, useState } from "react";
import { useLanguage } from "@/i18n/language";
import { useLive } from "@/live/useLive";

/** A first connection that takes longer than this is worth mentioning. */
const PATIENCE_MS = 3_000;

export function Connection() {
  const { t } = useLanguage();
  const { status } = useLive();
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (status !== "connecting") return setSlow(false);
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [status]);
  const isShown = status === "offline" || (status === "connecting" && isSlow);
  return (
    <div role="status" aria-live="polite">
      {isShown && (
        <span
          title={t("shell.offlineHint")}
          className="status-paused flex h-9 animate-appear items-center justify-center gap-2.5 rounded-lg bg-status-tint px-2.5 font-medium text-status max-sm:h-8 max-sm:gap-1.5 max-sm:text-[13px] lg:justify-start"
        >
          <CloudOff className="size-4 shrink-0 sm:size-[18px]" aria-hidden />
          <span className="sm:sr-only lg:not-sr-only">{t("shell.offline")}</span>
        </span>
      )}
    </div>
  );
}
