// What the editor offers to whoever types: whole tasks in a list of tasks, else the words that may stand there.
import { type Completion, type CompletionSource, snippetCompletion } from "@codemirror/autocomplete";
import { keysFor, placeOf, valuesFor } from "./words";

const tasks: Completion[] = [
  snippetCompletion("- ${name}:\n    set:\n      ${key}: ${value}", { label: "- set", detail: "data" }),
  snippetCompletion(
    "- ${name}:\n    call: http\n    with:\n      method: get\n      endpoint: ${https://example.com}",
    { label: "- call http" },
  ),
  snippetCompletion("- ${name}:\n    call: agent\n    with:\n      agent: ${slug}\n      prompt: ${prompt}", {
    label: "- call agent",
  }),
  snippetCompletion("- ${name}:\n    run:\n      shell:\n        command: ${command}", { label: "- run shell" }),
  snippetCompletion(
    "- ${name}:\n    run:\n      workflow:\n        namespace: ${namespace}\n        name: ${name}\n        version: ${version}",
    { label: "- run workflow" },
  ),
  snippetCompletion("- ${name}:\n    wait:\n      seconds: ${10}", { label: "- wait" }),
  snippetCompletion(
    "- ${name}:\n    for:\n      each: ${item}\n      in: ${.items}\n    do:\n      - ${step}:\n          set:\n            ${key}: ${value}",
    { label: "- for" },
  ),
  snippetCompletion(
    "- ${name}:\n    fork:\n      branches:\n        - ${left}:\n            set:\n              ${key}: ${value}",
    { label: "- fork" },
  ),
  snippetCompletion(
    "- ${name}:\n    try:\n      - ${step}:\n          call: http\n          with:\n            method: get\n            endpoint: ${https://example.com}\n    catch:\n      retry:\n        delay:\n          seconds: 1\n        limit:\n          attempt:\n            count: 3",
    { label: "- try" },
  ),
  snippetCompletion("- ${name}:\n    switch:\n      - ${case}:\n          when: ${.ok}\n          then: ${task}", {
    label: "- switch",
  }),
  snippetCompletion(
    "- ${name}:\n    raise:\n      error:\n        type: ${type}\n        status: 500\n        title: ${title}",
    { label: "- raise" },
  ),
];

const cases: Completion[] = [
  snippetCompletion("- ${name}:\n    when: ${.ok}\n    then: ${task}", { label: "- when", detail: "case" }),
];

const aKey = (label: string): Completion => ({ label, type: "property", apply: `${label}: ` });
const aValue = (label: string): Completion => ({ label, type: "constant" });

/** What is offered while one types; `agents` are the names of those that can be called. */
export function completionsWith(agents: () => readonly string[]): CompletionSource {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const lines = context.state.doc.toString().split("\n");
    const place = (column: number) => placeOf(lines.with(line.number - 1, ""), line.number - 1, column);
    const [, space, item] = /^(\s*)(-\s*\w*)$/.exec(before) ?? [];
    if (space !== undefined && item !== undefined) {
      // A list may begin in the column of what it belongs to.
      const list = place(space.length + 1).path.at(-1);
      return { from: context.pos - item.length, options: list === "switch" ? cases : tasks };
    }
    const [, indent, word] = /^(\s*)(\w*)$/.exec(before) ?? [];
    if (indent !== undefined && word !== undefined) {
      const keys = word || context.explicit ? keysFor(place(indent.length)) : [];
      return keys.length > 0 ? { from: context.pos - word.length, options: keys.map(aKey) } : null;
    }
    const [, start, key, value] = /^(\s*)([\w-]+):\s+([\w'.-]*)$/.exec(before) ?? [];
    if (start === undefined || key === undefined || value === undefined) return null;
    const values = valuesFor(place(start.length), key, agents());
    return values.length > 0 ? { from: context.pos - value.length, options: values.map(aValue) } : null;
  };
}
