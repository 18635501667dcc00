// What the service writes, in the reader's language: kinds of problems and failures by their codes. What is particular about one of
// them stays as the service wrote it, as a detail.
import i18next from "i18next";
import type { Failure, Problem } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";

export interface Words {
  title: string;
  detail?: string;
  suggestion?: string;
}

/** The translated catalog of problems, by language, beside the sentences of the dashboard. */
export const PROBLEMS = "problems";

/** A code that the catalog of this language lacks is said as the service says it. */
export function useProblemWords(problem: Problem): Words {
  const { t, language } = useLanguage();
  const { code, title, detail, suggestion } = problem;
  if (code === "unreachable") return { title: t("state.unreachable"), suggestion: t("state.unreachableHint") };
  const known = i18next.getResource(language, PROBLEMS, code) as Words | undefined;
  return {
    title: known?.title ?? (title || t("state.unexpected")),
    detail: detail || undefined,
    suggestion: known?.suggestion ?? (suggestion || undefined),
  };
}

/** The standard types of errors of the workflow language. */
const kinds = [
  "configuration",
  "validation",
  "expression",
  "authentication",
  "authorization",
  "timeout",
  "communication",
  "runtime",
] as const;

const STANDARD = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/** The title of a failure is English, or its author's. In other languages its kind comes first. */
export function useFailureWords(failure: Failure): Words {
  const { t, language } = useLanguage();
  const { type, title, detail, suggestion } = failure;
  const kind = kinds.find((one) => type === STANDARD + one);
  const words = { detail: detail ?? undefined, suggestion: suggestion ?? undefined };
  if (language === "en" || !kind) return { ...words, title: title ?? (kind ? t(`failure.${kind}`) : type) };
  return { ...words, title: t(`failure.${kind}`), detail: [title, detail].filter(Boolean).join(": ") || undefined };
}
