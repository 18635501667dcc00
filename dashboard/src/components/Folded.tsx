// A long text among shorter ones: its first lines, and all of it when somebody asks. JSON is indented.
import { clsx } from "clsx";
import { ChevronDown } from "lucide-react";
import { useId, useState } from "react";
import { useLanguage } from "@/i18n/language";
import { Copy } from "./Copy";
import { indented } from "./indented";

/** More than this many lines are folded. */
const LINES = 8;
const CHARACTERS = 600;

export function Folded({
  text,
  label,
  isTail,
}: {
  text: string;
  label?: string;
  /** It says at its end what matters: that is shown first. */
  isTail?: boolean;
}) {
  const { t } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const shown = indented(text);
  const isLong = shown.split("\n").length > LINES || shown.length > CHARACTERS;
  return (
    <div className="mt-2 min-w-0">
      {label && <p className="mb-1 text-ink-soft text-xs">{label}</p>}
      <div className="relative rounded-lg border bg-surface">
        <div className="absolute top-1 right-1 rounded-lg bg-surface/90">
          <Copy text={text} />
        </div>
        <pre
          id={id}
          tabIndex={0}
          className={clsx(
            "whitespace-pre-wrap break-words p-3 pr-12 font-mono text-[13px] leading-5",
            isLong && !isOpen
              ? "flex max-h-44 flex-col overflow-hidden [&>code]:shrink-0"
              : "max-h-[60vh] overflow-auto",
            isTail && isLong && !isOpen && "justify-end",
          )}
        >
          <code>{shown}</code>
        </pre>
        {isLong && (
          <button
            type="button"
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={() => setOpen(!isOpen)}
            className="flex w-full items-center gap-1.5 border-t px-3 py-1.5 text-[13px] text-accent-text hover:bg-sunken"
          >
            <ChevronDown className={clsx("size-4 transition-transform", isOpen && "rotate-180")} aria-hidden />
            {isOpen ? t("action.showLess") : t("action.showAll")}
          </button>
        )}
      </div>
    </div>
  );
}
