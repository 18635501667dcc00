import { Check, Copy as CopyIcon, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useLanguage } from "@/i18n/language";
import { Button } from "./Button";

/** Puts a text on the clipboard. Pages of plain addresses have no clipboard of their own; there a field does it. */
async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return putByField(text);
  }
}

function putByField(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  // Inside an open dialog nothing else can be selected.
  (document.activeElement?.closest("[role=dialog]") ?? document.body).append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return isDone;
}

/** Copies a text, or one that is made when it is wanted. Without a label it is an icon; `isMain` where it is what one came for. */
export function Copy({
  text,
  label,
  isMain = false,
}: {
  text: string | (() => string);
  label?: string;
  isMain?: boolean;
}) {
  const { t } = useLanguage();
  const [outcome, setOutcome] = useState<"done" | "failed">();
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(undefined), 1_500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const name = t(outcome === "done" ? "action.copied" : outcome === "failed" ? "action.copyFailed" : "action.copy");
  return (
    <Button
      look={isMain ? "plain" : "quiet"}
      size={isMain ? "normal" : "small"}
      icon={outcome === "done" ? Check : outcome === "failed" ? TriangleAlert : CopyIcon}
      aria-label={label ? `${name}: ${label}` : name}
      title={name}
      onClick={() =>
        void put(typeof text === "string" ? text : text()).then((isDone) => setOutcome(isDone ? "done" : "failed"))
      }
    >
      {label}
    </Button>
  );
}
