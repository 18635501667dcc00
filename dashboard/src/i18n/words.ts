// What the service writes, in the reader's language: kinds of problems by their codes, and sentences by a catalog. What is
// particular about one of them stays as the service wrote it, as a detail.
import i18next, { type TFunction } from "i18next";
import { useCallback } from "react";
import type { AgentView, Failure, Problem } from "@/api/generated/schema";
import { isSentence } from "@/components/indented";
import { useLanguage } from "@/i18n/language";
import { type Translator, translatorOf } from "./catalog";

export interface Words {
  title: string;
  detail?: string;
  suggestion?: string;
}

/** The translated catalog of problems, by language, beside the sentences of the dashboard. */
export const PROBLEMS = "problems";
/** The translated sentences of the service, by language: about executions, and about definitions. */
export const SERVICE = "service";
export const DEFINITION = "definition";

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

const translators = new Map<string, Translator>();

/** The translator of a language, which is made when its catalog is there. English says everything itself. */
function translatorTo(language: string, name: string = SERVICE): Translator | undefined {
  const key = `${language} ${name}`;
  const known = translators.get(key);
  const catalog = known ? undefined : i18next.getResourceBundle(language, name);
  if (!catalog) return known;
  const made = translatorOf(catalog as Record<string, string>);
  translators.set(key, made);
  return made;
}

/** Says a sentence of the service in the reader's language; one that no catalog has, as the service said it. */
export function useServiceWords(catalog: string = SERVICE): (sentence: string) => string {
  const { language } = useLanguage();
  return useCallback((sentence) => translatorTo(language, catalog)?.(sentence) ?? sentence, [language, catalog]);
}

/** What an agent is good at: the agents of the program say it in the reader's language, the others as their author wrote it. */
export function useAgentDescription(): (agent: AgentView) => string {
  const say = useServiceWords();
  return useCallback(({ is_system, description }) => (is_system ? say(description) : description), [say]);
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

/** What the author of a workflow has written about a failure stays as it is. */
export function useFailureWords(failure: Failure): Words {
  const { t, language } = useLanguage();
  const say = useServiceWords();
  const { type, title, detail, suggestion, request } = failure;
  const kind = kinds.find((one) => type === STANDARD + one);
  const answered = answeredWords(failure, t, translatorTo(language));
  return {
    title: answered ?? (title ? say(title) : kind ? t(`failure.${kind}`) : type),
    // Of an answer without a body nothing else is known.
    detail: request && detail?.startsWith(`${request} answered`) ? undefined : (detail ?? undefined),
    suggestion: suggestion ? say(suggestion) : undefined,
  };
}

/** Which request was answered with what, of a failure that is such an answer. */
function answeredWords({ request, status, title }: Failure, t: TFunction, say?: Translator): string | undefined {
  if (!request) return undefined;
  const plain = `${status} ${title?.startsWith("HTTP ") ? "" : (title ?? "")}`.trim();
  return t("failure.answered", { request, reason: say?.(title ?? "") ?? plain });
}

/** Says a failure in one line. */
export function useFailureLine(): (failure: Failure | null | undefined) => string | undefined {
  const { t, language } = useLanguage();
  return useCallback(
    (failure) => {
      const say = translatorTo(language);
      return failure ? (answeredWords(failure, t, say) ?? failureLine(failure, say)) : undefined;
    },
    [t, language],
  );
}

/** Longer ones are no longer one line anywhere. */
const LINE_CHARACTERS = 400;

/** The detail says it, in English. Whoever may not read that gets the title before it, and so does everybody what a program has printed. */
export function failureLine({ title, detail }: Failure, translate?: Translator): string | undefined {
  const said = title ? translate?.(title) : undefined;
  if (said && detail) return `${said}：${flat(detail)}`;
  if (title && detail && !isSentence(detail)) return `${title}: ${flat(detail)}`;
  return said ?? detail ?? title ?? undefined;
}

function flat(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, LINE_CHARACTERS);
}
