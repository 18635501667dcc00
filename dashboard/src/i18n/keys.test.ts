import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import en from "./en.json";
import zh from "./zh-CN.json";

function flatten(value: unknown, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof value === "string") found.set(prefix, value);
  else
    for (const [key, inner] of Object.entries(value as object))
      for (const [path, text] of flatten(inner, prefix ? `${prefix}.${key}` : key)) found.set(path, text);
  return found;
}

const english = flatten(en);
const chinese = flatten(zh);
const plural = /_(one|other)$/;
const stem = (key: string) => key.replace(plural, "");

const root = join(import.meta.dirname, "..");
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !path.includes("test") && !path.includes("generated"))
  .map((path) => readFileSync(join(root, path), "utf8"))
  .join("\n");
const quoted = new Set([...sources.matchAll(/["'`]([a-z][\w]*(?:\.[\w]+)+)["'`]/gi)].map((match) => match[1]));
/** `t(`status.${status}`)`: everything below `status.` is in use. */
const prefixes = [...sources.matchAll(/`([a-z][\w.]*\.)\$\{/gi)].map((match) => match[1] ?? "");

it("says everything in both languages", () => {
  expect([...new Set([...chinese.keys()].map(stem))].sort()).toEqual(
    [...new Set([...english.keys()].map(stem))].sort(),
  );
  for (const [key, text] of [...english, ...chinese]) expect(text.trim(), key).not.toBe("");
});

it("puts the same things into the sentences of both languages", () => {
  const things = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g))].sort();
  for (const [key, text] of english) {
    const other = chinese.get(key) ?? chinese.get(`${stem(key)}_other`) ?? "";
    // "One execution" need not repeat its number.
    if (!key.endsWith("_one")) expect(things(other), key).toEqual(things(text));
  }
});

it("leaves nothing in English in Chinese, and the other way round", () => {
  for (const [key, text] of english) expect(/[\u4e00-\u9fff]/.test(text), key).toBe(false);
  const proper = /^(Callboard|YAML|JSON|p95|ID|{{.*}}( Token)?|[\W\d]*)$/;
  const mixed = [...chinese].filter(([, text]) => !/[\u4e00-\u9fff]/.test(text) && !proper.test(text));
  expect(mixed).toEqual([]);
});

it("has no sentence that nobody says", () => {
  const unused = [...english.keys()].filter(
    (key) => !quoted.has(stem(key)) && !quoted.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)),
  );
  expect(unused).toEqual([]);
});
