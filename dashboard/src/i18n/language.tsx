// The language of the page. It is followed in one place: a row of a list that asked for it on its own would follow it as often as
// there are words in it.
import type { TFunction } from "i18next";
import { createContext, type ReactNode, use, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Formats, formatsOf } from "./format";

export interface PageLanguage {
  language: string;
  /** The sentence of a key. */
  t: TFunction;
  formats: Formats;
}

const LanguageContext = createContext<PageLanguage | undefined>(undefined);

/** Who reads English has told the browser which one. */
function regionOf(language: string): string {
  return (language === "en" && navigator.languages.find((one) => one.startsWith("en-"))) || language;
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  const { language } = i18n;
  const value = useMemo(() => ({ language, t, formats: formatsOf(language, regionOf(language)) }), [language, t]);
  return <LanguageContext value={value}>{children}</LanguageContext>;
}

export function useLanguage(): PageLanguage {
  const language = use(LanguageContext);
  if (!language) throw new Error("there is no language around this component");
  return language;
}

/** Numbers, times and durations as the language writes them. */
export function useFormats(): Formats {
  return useLanguage().formats;
}
