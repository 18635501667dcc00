// English comes with the program; Chinese is fetched when it is wanted.
import i18next, { type FormatterModule } from "i18next";
import { initReactI18next } from "react-i18next";
import { whenThere } from "@/parts";
import en from "./en.json";
import { numberFormat } from "./format";
import { DEFINITION, PROBLEMS, SERVICE } from "./words";

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

const STORED = "callboard.language";

export function isLanguage(value: unknown): value is Language {
  return languages.some((language) => language === value);
}

function chosen(): Language {
  const stored = localStorage.getItem(STORED);
  if (isLanguage(stored)) return stored;
  return navigator.languages.find((language) => /^(zh|en)/.test(language))?.startsWith("zh") ? "zh-CN" : "en";
}

/** What was chosen last: what is read for another one comes too late. */
let wanted: Language = "en";

async function setLanguage(language: Language): Promise<void> {
  wanted = language;
  if (language === "zh-CN" && !i18next.hasResourceBundle("zh-CN", "translation")) {
    const read = whenThere(() =>
      Promise.all([
        import("./zh-CN.json"),
        import("./problems.zh-CN.json"),
        import("./service.zh-CN.json"),
        import("./definition.zh-CN.json"),
      ]),
    );
    const [sentences, problems, service, definition] = await read();
    i18next.addResourceBundle("zh-CN", "translation", sentences.default);
    i18next.addResourceBundle("zh-CN", PROBLEMS, problems.default);
    i18next.addResourceBundle("zh-CN", SERVICE, service.default);
    i18next.addResourceBundle("zh-CN", DEFINITION, definition.default);
  }
  if (wanted !== language) return;
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED, language);
  await setLanguage(language);
}

/** Numbers in sentences are written as the language does it. */
const grouping: FormatterModule = {
  type: "formatter",
  init: () => undefined,
  add: () => undefined,
  addCached: () => undefined,
  format: (value: unknown, _, language = "en") =>
    typeof value === "number" ? numberFormat(language).format(value) : (value as string),
};

export async function startLanguages(language: Language = chosen()): Promise<void> {
  await i18next
    .use(initReactI18next)
    .use(grouping)
    .init({
      lng: "en",
      fallbackLng: "en",
      resources: { en: { translation: en } },
      // React escapes.
      interpolation: { escapeValue: false, alwaysFormat: true },
    });
  globalThis.window?.addEventListener("storage", ({ key }) => {
    // Chosen in another tab.
    if (key === STORED) void setLanguage(chosen()).catch(() => undefined);
  });
  // In English rather than not at all.
  if (language !== "en") await setLanguage(language).catch(() => undefined);
}
