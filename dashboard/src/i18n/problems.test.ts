// The catalog of problems in other languages: complete, so that no code that is added to the service stays English.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import chinese from "./problems.zh-CN.json";

/** The table that the service writes of its catalog: code, title, suggestion. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/errors.md"), "utf8");
const catalog = [...page.matchAll(/^\| \d+ \| `(\w+)` \| (.*) \| (.*) \|$/gm)].map(([, code = "", title, advice]) => ({
  code,
  text: `${title} ${advice}`,
}));
const translated = new Map(Object.entries(chinese));

it("translates every code of the catalog, and no other", () => {
  expect(catalog.length).toBeGreaterThan(20);
  expect([...translated.keys()].sort()).toEqual(catalog.map(({ code }) => code).sort());
  for (const [code, words] of translated)
    for (const text of [words.title, words.suggestion]) expect(text, code).toMatch(/[\u4e00-\u9fff]/);
});

it("keeps the addresses, settings and headers that a suggestion names", () => {
  for (const { code, text } of catalog) {
    const words = translated.get(code);
    // Addresses, dotted settings, names in underscores, headers in hyphens.
    for (const name of text.match(/\/(?:api|docs|readyz)[\w/]*|\w+\.\w+_\w+|[a-z]+_[a-z_]+|[A-Z]\w+-[A-Z][\w-]*/g) ??
      [])
      expect(`${words?.title} ${words?.suggestion}`, code).toContain(name);
  }
});
