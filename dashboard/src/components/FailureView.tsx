import { clsx } from "clsx";
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Failure } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";
import { useFailureWords } from "@/i18n/words";
import { Advice } from "./Advice";
import { Folded } from "./Folded";
import { isSentence } from "./indented";

/** Why a task or an execution has failed: what kind, what exactly, what to do. */
export function FailureView({
  failure,
  className,
  children,
}: {
  failure: Failure;
  className?: string;
  /** What can be done from here. */
  children?: ReactNode;
}) {
  const { t } = useLanguage();
  const { title, detail, suggestion } = useFailureWords(failure);
  return (
    <div role="alert" className={clsx("status-failed flex gap-3 rounded-xl bg-status-tint p-4", className)}>
      <CircleAlert className="mt-0.5 size-[18px] shrink-0 text-status" aria-hidden />
      <div className="min-w-0 max-w-4xl flex-1">
        <p className="break-words font-medium text-status">{title}</p>
        {detail &&
          (isSentence(detail) ? (
            <p className="mt-0.5 break-words">{detail}</p>
          ) : (
            <Folded text={detail} isTail={failure.type.endsWith("/runtime")} />
          ))}
        {failure.output && <Folded text={failure.output} label={t("failure.output")} isTail />}
        <Advice text={suggestion} className="mt-1" />
        {children}
      </div>
    </div>
  );
}
