import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";

/** Copies a text. Without a label it is an icon. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [isDone]);
  return (
    <Button
      look="quiet"
      size="small"
      icon={isDone ? Check : CopyIcon}
      aria-label={label ? undefined : t("action.copy")}
      title={t("action.copy")}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}
    >
      {label}
    </Button>
  );
}
