// In lists: that something has been done again, and of what it is the retry.
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import type { Row } from "@/api/executions";
import { useLanguage } from "@/i18n/language";
import { shortId } from "./Name";

/** Stands before whatever else a row says, and leads elsewhere than the row. */
export function Retries({ row }: { row: Pick<Row, "continued_by" | "continues"> }) {
  const { t } = useLanguage();
  const other = row.continued_by ?? row.continues;
  if (!other) return null;
  return (
    <Link
      to="/executions/$id"
      params={{ id: other }}
      className="relative z-10 mr-2 inline-flex items-baseline gap-1 text-accent-text hover:underline"
    >
      <RotateCcw className="size-3 self-center" aria-hidden />
      {t(row.continued_by ? "retries.as" : "retries.of", { id: shortId(other) })}
    </Link>
  );
}
