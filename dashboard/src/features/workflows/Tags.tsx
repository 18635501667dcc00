// The tags of a workflow. Each leads to the workflows that have it, too.
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { useLanguage } from "@/i18n/language";
import { tagsOf, tagText } from "./tags";

export function Tags({
  tags,
  max = Number.POSITIVE_INFINITY,
  className,
}: {
  tags: Readonly<Record<string, unknown>>;
  /** More are only counted. */
  max?: number;
  className?: string;
}) {
  const { t } = useLanguage();
  const all = tagsOf(tags);
  if (all.length === 0) return null;
  return (
    <ul aria-label={t("workflow.tags")} className={clsx("flex min-w-0 flex-wrap gap-1", className)}>
      {all.slice(0, max).map((tag) => (
        <li key={tag.name} className="relative z-10 max-w-48">
          <Link
            to="/workflows"
            search={{ q: tagText(tag) }}
            title={tagText(tag)}
            className="block truncate rounded-md border bg-sunken px-1.5 text-ink-soft text-xs leading-5 hover:border-line-strong hover:text-ink"
          >
            {tagText(tag)}
          </Link>
        </li>
      ))}
      {all.length > max && <li className="px-1 text-ink-faint text-xs leading-5">{`+${all.length - max}`}</li>}
    </ul>
  );
}
