// Two texts, line by line: what went, what came, and a little of what stayed.
import { clsx } from "clsx";
import { diffLines } from "diff";
import { useMemo } from "react";
import { useLanguage } from "@/i18n/language";

export interface DiffLine {
  kind: "same" | "removed" | "added" | "gap";
  text: string;
}

/** Unchanged lines around a change. */
const CONTEXT = 3;

/** Texts that differ in more lines than this are not compared line by line: it would take minutes, and help nobody. */
const MAX_DIFFERENT = 2_000;
/** As many lines are shown. */
const MAX_SHOWN = 5_000;

function linesOf(kind: DiffLine["kind"], text: string): DiffLine[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((text) => ({ kind, text }));
}

export function diffOf(before: string, after: string): DiffLine[] {
  const parts = diffLines(before, after, { maxEditLength: MAX_DIFFERENT });
  if (!parts) return [...linesOf("removed", before), ...linesOf("added", after)];
  const lines = parts.flatMap((part) => linesOf(part.added ? "added" : part.removed ? "removed" : "same", part.value));
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => line.kind !== "same"),
  );
  const shown: DiffLine[] = [];
  lines.forEach((line, index) => {
    if (near[index]) shown.push(line);
    else if (shown.at(-1)?.kind !== "gap") shown.push({ kind: "gap", text: "…" });
  });
  return shown;
}

const looks: Record<DiffLine["kind"], string> = {
  same: "text-ink-soft",
  removed: "status-failed bg-status-tint text-status",
  added: "status-succeeded bg-status-tint text-status",
  gap: "select-none text-ink-faint",
};
const signs: Record<DiffLine["kind"], string> = { same: " ", removed: "−", added: "+", gap: " " };

export function Diff({ before, after }: { before: string; after: string }) {
  const { t, formats } = useLanguage();
  const lines = useMemo(() => diffOf(before, after), [before, after]);
  if (before === after) return <p className="text-ink-soft">{t("diff.same")}</p>;
  return (
    <pre
      tabIndex={0}
      className="max-h-[65vh] overflow-auto rounded-lg border bg-sunken py-2 font-mono text-[13px] leading-5"
    >
      {lines.slice(0, MAX_SHOWN).map((line, index) => (
        <div key={index} className={clsx("flex min-w-max px-3", looks[line.kind])}>
          <span className="w-5 shrink-0 select-none">{signs[line.kind]}</span>
          <span>{line.text || " "}</span>
        </div>
      ))}
      {lines.length > MAX_SHOWN && (
        <p className="px-3 pt-2 font-sans text-ink-soft">{t("diff.cut", { shown: formats.number(MAX_SHOWN) })}</p>
      )}
    </pre>
  );
}
