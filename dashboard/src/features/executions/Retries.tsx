// In lists: that something has been done again, and of what it is the retry.
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { RotateCcw } from "lucide-react";
import type { Row } from "@/api/executions";
import { useLanguage } from "@/i18n/language";
import { shortId } from "./Name";

/** Leads elsewhere than the row that it stands in. Where there is little room it says no more than that. */
export function Retries({ row, isShort }: { row: Pick<Row, "continued_by" | "continues">; isShort?: boolean }) {
  const { t } = useLanguage();
  const other = row.continued_by ?? row.continues;
  if (!other) return null;
  return (
    <Link
      to="/executions/$id"
      params={{ id: other }}
      className={clsx(
        "relative z-10 inline-flex items-baseline gap-1 text-accent-text hover:underline",
        isShort ? "ml-2" : "mr-2",
      )}
    >
      <RotateCcw className="size-3 self-center" aria-hidden />
      {isShort
        ? t(row.continued_by ? "retries.filter.true" : "retries.label")
        : t(row.continued_by ? "retries.as" : "retries.of", { id: shortId(other) })}
    </Link>
  );
}
