// A value as indented JSON, quietly colored. Large values show their beginning; copying and downloading gives all of it.
import { clsx } from "clsx";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { useLanguage } from "@/i18n/language";
import { Button } from "./Button";
import { Copy } from "./Copy";

const MAX_SHOWN_CHARACTERS = 60_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function colored(text: string) {
  const parts: (string | { text: string; look: string })[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    const [whole, quoted, colon] = match;
    const look = quoted ? (colon ? "text-ink" : "status-succeeded text-status") : "status-waiting text-status";
    parts.push({ text: quoted && colon ? quoted : whole, look });
    if (colon) parts.push(colon);
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts;
}

export function save(name: string, text: string, type = "application/json"): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

export function JsonView({
  value,
  name,
  isProse,
}: {
  value: unknown;
  name: string;
  /** A text is for reading, and not what a program has printed. */
  isProse?: boolean;
}) {
  const { t } = useLanguage();
  const text = useMemo(() => (typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "null")), [value]);
  const isText = typeof value === "string";
  const isCut = text.length > MAX_SHOWN_CHARACTERS;
  const parts = useMemo(() => {
    const shown = text.slice(0, MAX_SHOWN_CHARACTERS);
    return isText ? [shown] : colored(shown);
  }, [text, isText]);
  if (text === "") {
    return <p className="rounded-lg border bg-sunken px-3 py-2.5 text-[13px] text-ink-faint">{t("state.emptyText")}</p>;
  }
  return (
    <div className="group relative rounded-lg border bg-sunken">
      <div className="absolute top-1 right-1 flex rounded-lg bg-sunken/90">
        <Copy text={text} />
        <Button
          look="quiet"
          size="small"
          icon={Download}
          aria-label={t("action.download")}
          title={t("action.download")}
          onClick={() =>
            save(isText ? `${name}.txt` : `${name}.json`, text, isText ? "text/plain" : "application/json")
          }
        />
      </div>
      <pre
        tabIndex={0}
        className={clsx(
          "max-h-[60vh] overflow-auto whitespace-pre-wrap break-words p-3 pr-20",
          isProse && isText ? "font-sans" : "font-mono text-[13px] leading-5",
        )}
      >
        {parts.map((part, index) =>
          typeof part === "string" ? (
            part
          ) : (
            <span key={index} className={part.look}>
              {part.text}
            </span>
          ),
        )}
        {isCut && <span className="mt-2 block text-ink-faint">{t("state.cut", { count: text.length })}</span>}
      </pre>
    </div>
  );
}
