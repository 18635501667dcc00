// The words of the workflow language where they may stand: what is offered depends on what the line above opens.
import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  snippetCompletion,
} from "@codemirror/autocomplete";

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

const properties: Completion[] = [
  "document",
  "input",
  "use",
  "do",
  "timeout",
  "output",
  "schedule",
  "evaluate",
  "if",
  "then",
  "export",
  "metadata",
  "set",
  "call",
  "with",
  "run",
  "wait",
  "for",
  "while",
  "fork",
  "try",
  "catch",
  "switch",
  "raise",
  "when",
  "retry",
  "errors",
  "shell",
  "script",
  "workflow",
  "branches",
  "compete",
  "each",
  "in",
  "at",
  "method",
  "endpoint",
  "headers",
  "body",
  "query",
  "agent",
  "prompt",
  "parameters",
  "schema",
  "from",
  "as",
  "after",
  "seconds",
  "minutes",
  "hours",
].map((label) => ({ label, type: "property", apply: `${label}: ` }));

export function completions(context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const task = /^\s*(-\s*\w*)$/.exec(before);
  if (task?.[1]) return { from: context.pos - task[1].length, options: tasks, filter: true };
  const word = /^\s*(?:-\s+[\w-]+:\s*)?(\w*)$/.exec(before);
  if (!word || (!word[1] && !context.explicit)) return null;
  return { from: context.pos - (word[1]?.length ?? 0), options: properties };
}
