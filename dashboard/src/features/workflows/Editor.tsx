// CodeMirror with YAML, its problems inline, and the words of the workflow language. It does not know where a text goes.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentService,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useEffectEvent, useRef } from "react";
import type { FieldError } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";
import { useIsDark } from "@/theme";
import { completionsWith } from "./completions";
import { phrasesOf } from "./phrases";
import { indentAfter } from "./words";

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent-text)" },
  { tag: [tags.string, tags.special(tags.string)], class: "status-succeeded text-status" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], class: "status-waiting text-status" },
  { tag: tags.comment, color: "var(--ink-faint)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.meta], color: "var(--ink-soft)" },
]);

function look(isDark: boolean): Extension {
  return EditorView.theme(
    {
      "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--ink)" },
      ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55" },
      ".cm-gutters": {
        backgroundColor: "var(--sunken)",
        color: "var(--ink-faint)",
        borderRight: "1px solid var(--line)",
      },
      ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
      ".cm-activeLineGutter": { backgroundColor: "var(--line)" },
      ".cm-cursor": { borderLeftColor: "var(--ink)" },
      "&.cm-focused": { outline: "none" },
      "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
        backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent) !important",
      },
      ".cm-tooltip": {
        backgroundColor: "var(--raised)",
        border: "1px solid var(--line)",
        borderRadius: "8px",
        color: "var(--ink)",
        overflow: "hidden",
      },
      ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", padding: "4px" },
      ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { borderRadius: "5px", padding: "2px 8px", lineHeight: "1.5" },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
      ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)" },
      ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
      ".cm-panel.cm-search": { padding: "8px 28px 8px 8px", fontFamily: "var(--font-sans)" },
      ".cm-panel.cm-search input, .cm-panel.cm-search button, .cm-panel.cm-search label": { margin: "2px 6px 2px 0" },
      ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "4px", fontSize: "13px" },
      ".cm-panel.cm-search label input": { margin: "0" },
      ".cm-panel.cm-search .cm-textfield": { width: "150px" },
      ".cm-panel.cm-search [name=close]": { top: "6px", right: "8px", fontSize: "18px", cursor: "pointer" },
      ".cm-textfield, .cm-button": {
        height: "28px",
        padding: "0 8px",
        border: "1px solid var(--line-strong)",
        borderRadius: "6px",
        backgroundColor: "var(--surface)",
        backgroundImage: "none",
        color: "var(--ink)",
        fontSize: "13px",
      },
      ".cm-button": { cursor: "pointer" },
      ".cm-button:hover": { backgroundColor: "var(--sunken)" },
    },
    { dark: isDark },
  );
}

export interface EditorProps {
  /** What is read; what is written begins with it. */
  text: string;
  isReadOnly?: boolean;
  problems?: readonly FieldError[];
  /** Moves the cursor there; a new object moves it again. */
  goTo?: { line: number; column: number };
  onChange?: (text: string) => void;
  /** The names of the agents that can be called. */
  agents?: readonly string[];
}

const NONE: readonly string[] = [];

/** Only where a line is broken: what stands already is left as it is. */
const indentation = indentService.of((context, position) => {
  const line = context.lineAt(position, -1);
  return line.from < position ? indentAfter(line.text) : undefined;
});

export default function Editor({ text, isReadOnly, problems, goTo, onChange, agents = NONE }: EditorProps) {
  const { t } = useLanguage();
  const isDark = useIsDark();
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const theme = useRef(new Compartment());
  const changed = useEffectEvent((next: string) => onChange?.(next));
  const known = useRef(agents);
  const first = useRef({ text, isDark, label: t("editor.label"), phrases: phrasesOf(t) });

  useEffect(() => {
    if (!place.current) return;
    const common = [
      EditorState.phrases.of(first.current.phrases),
      lineNumbers(),
      foldGutter(),
      drawSelection(),
      yaml(),
      syntaxHighlighting(colors),
      bracketMatching(),
      highlightSelectionMatches(),
      theme.current.of(look(first.current.isDark)),
      EditorView.contentAttributes.of({ "aria-label": first.current.label, tabindex: "0" }),
      keymap.of([
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...completionKeymap,
        ...closeBracketsKeymap,
      ]),
    ];
    const writing = [
      history(),
      lintGutter(),
      closeBrackets(),
      indentOnInput(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      indentation,
      autocompletion({ override: [completionsWith(() => known.current)], icons: false }),
      keymap.of([indentWithTab]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed(update.state.doc.toString());
      }),
    ];
    const reading = [EditorState.readOnly.of(true), EditorView.lineWrapping];
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current.text,
        extensions: [...common, ...(isReadOnly ? reading : writing)],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    // While somebody writes, the editor knows better: what comes back may be older than what was typed since.
    if (isReadOnly && editor && editor.state.doc.toString() !== text) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    }
  }, [isReadOnly, text]);

  useEffect(() => {
    known.current = agents;
  }, [agents]);

  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(look(isDark)) });
  }, [isDark]);

  useEffect(() => {
    const editor = view.current;
    if (editor && problems) editor.dispatch(setDiagnostics(editor.state, diagnosticsOf(problems, editor.state)));
  }, [problems]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !goTo) return;
    const at = offsetOf(editor.state, goTo.line, goTo.column);
    editor.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    editor.focus();
  }, [goTo]);

  return <div ref={place} className="h-full" />;
}

function offsetOf(state: EditorState, line: number, column: number): number {
  const found = state.doc.line(Math.max(1, Math.min(line, state.doc.lines)));
  return Math.min(found.from + Math.max(0, column - 1), found.to);
}

/** A problem is underlined from its place to the end of the word. */
function diagnosticsOf(problems: readonly FieldError[], state: EditorState): Diagnostic[] {
  return problems.map((problem) => {
    const from = offsetOf(state, problem.line ?? 1, problem.column ?? 1);
    const line = state.doc.lineAt(from);
    const word = /^[^\s:,}\]]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
    return {
      from,
      to: Math.min(from + Math.max(word, 1), line.to),
      severity: problem.severity === "warning" ? "warning" : "error",
      message: [problem.detail, problem.suggestion].filter(Boolean).join("\n"),
    };
  });
}
