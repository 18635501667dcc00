import type { LinkProps } from "@tanstack/react-router";
import { useLanguage } from "@/i18n/language";
import { useProblemWords } from "@/i18n/words";
import { BackLink } from "./BackLink";
import { ProblemView, problemOf } from "./states";
import { useTitle } from "./useTitle";

/** In place of the page of one thing that could not be read: why, and the way back to where there are others. */
export function ProblemPage({
  error,
  retry,
  to,
  back,
}: {
  error: unknown;
  retry: () => void;
  to: LinkProps["to"];
  /** What it is that the way leads to. */
  back: "nav.executions" | "nav.workflows" | "nav.agents";
}) {
  const { t } = useLanguage();
  const { title } = useProblemWords(problemOf(error));
  useTitle(title);
  return (
    <>
      <BackLink to={to}>{t(back)}</BackLink>
      <h1 className="sr-only">{title}</h1>
      <ProblemView error={error} retry={retry} />
    </>
  );
}
