// What the editor's library says to people, in the words of the pages.
import type { TFunction } from "i18next";

export function phrasesOf(t: TFunction): Record<string, string> {
  return {
    Find: t("editor.phrase.find"),
    Replace: t("editor.phrase.replaceWith"),
    next: t("editor.phrase.next"),
    previous: t("editor.phrase.previous"),
    all: t("editor.phrase.all"),
    "match case": t("editor.phrase.matchCase"),
    regexp: t("editor.phrase.regexp"),
    "by word": t("editor.phrase.byWord"),
    replace: t("editor.phrase.replace"),
    "replace all": t("editor.phrase.replaceAll"),
    "replaced $ matches": t("editor.phrase.replacedAll"),
    "replaced match on line $": t("editor.phrase.replacedOne"),
    "current match": t("editor.phrase.match"),
    "on line": t("editor.phrase.onLine"),
    "Go to line": t("editor.phrase.goToLine"),
    go: t("editor.phrase.go"),
    close: t("action.close"),
    Completions: t("editor.phrase.completions"),
    Diagnostics: t("editor.problemList"),
    "No diagnostics": t("editor.valid"),
    "folded code": t("editor.phrase.folded"),
    unfold: t("editor.phrase.unfold"),
    "Fold line": t("editor.phrase.fold"),
    "Unfold line": t("editor.phrase.unfold"),
    "Selection deleted": t("editor.phrase.deleted"),
    "Control character": t("editor.phrase.control"),
  };
}
