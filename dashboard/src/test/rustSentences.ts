// The sentences that the service says about failures, read from its sources.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../../src");

interface Literal {
  at: number;
  end: number;
  text: string;
}

interface Range {
  from: number;
  to: number;
}

/** One Rust file without its tests. In `code` comments and what stands in literals is blank, at the same places. */
export interface RustFile {
  path: string;
  code: string;
  literals: Literal[];
}

/** Which argument of which function is said to people. */
const constructors: Record<string, number> = { "Failure::new": 1, with_suggestion: 0, not_available: 1 };

export function rustFiles(): RustFile[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".rs") && !/(^|\/)tests(\/|\.rs$)/.test(path))
    .sort()
    .map((path) => rustFile(path, readFileSync(join(root, path), "utf8")));
}

export function rustFile(path: string, source: string): RustFile {
  const literals: Literal[] = [];
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\br(#*)"([\s\S]*?)"\1|"((?:\\[\s\S]|[^"\\])*)"|'(?:\\u\{[^}]*\}|\\.|[^'\\\n])'/g;
  const ofProgram = source.replace(/#\[cfg\(test\)\]\nmod tests \{[\s\S]*$/, "");
  const code = ofProgram.replace(
    token,
    (found, _hashes, raw: string | undefined, text: string | undefined, at: number) => {
      const said = raw ?? (text === undefined ? undefined : unescaped(text));
      if (said === undefined) return found.replace(/[^\n]/g, " ");
      literals.push({ at, end: at + found.length, text: said });
      return `"${found.slice(2).replace(/[^\n]/g, " ")}"`;
    },
  );
  return { path, code, literals };
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:\n\s*|u\{(\w+)\}|([\s\S]))/g,
    (_, point: string | undefined, letter: string | undefined) => {
      if (point) return String.fromCodePoint(Number.parseInt(point, 16));
      return letter === "n" ? "\n" : letter === "t" ? "\t" : (letter ?? "");
    },
  );
}

/** Titles and suggestions. What one of them says must be found: a form that is not understood is an error. */
export function sentencesOfFailures(file: RustFile): string[] {
  if (!/\b(?:Failure::new|not_available)\(/.test(file.code)) return [];
  const said: string[] = [];
  for (const call of file.code.matchAll(/(?<!fn )\b(Failure::new|with_suggestion|not_available)\(/g)) {
    const argument = partsOf(file, call.index + call[0].length - 1)[constructors[call[1] ?? ""] ?? 0];
    if (!argument) throw new Error(`${file.path}: ${call[1]} without the argument`);
    if (isPassedOn(file, argument)) continue;
    const found = sentencesIn(file, argument);
    if (found.length === 0) throw new Error(`${file.path}: what '${textOf(file, argument)}' says is not found`);
    said.push(...found);
  }
  return said;
}

/** What `let name = …` says in a file, everywhere it stands. */
export function sentencesOfVariable(file: RustFile, name: string): string[] {
  return [...file.code.matchAll(new RegExp(`\\blet ${name} =`, "g"))].flatMap((found) =>
    sentencesIn(file, statement(file, found.index + found[0].length)),
  );
}

/** Everything in a file that has more than one word, apart from what lints are told. */
export function sentencesOf(file: RustFile): string[] {
  return file.literals.flatMap((literal) => {
    const before = file.code.slice(0, literal.at);
    if (/\bformat!\(\s*$/.test(before) && /\S \S/.test(literal.text)) return [holes(file, literal)];
    return /[a-z] +\S|\S +[a-z]/i.test(literal.text) && !/\breason = $/.test(before) ? [literal.text] : [];
  });
}

/** The literals that a pattern finds the places of. */
export function literalsAt(file: RustFile, pattern: RegExp): string[] {
  return [...file.code.matchAll(pattern)].flatMap((found) =>
    within(file, { from: found.index, to: found.index + found[0].length }).map((literal) => literal.text),
  );
}

/** An own constructor hands its parameter on; those who call it are looked at. */
function isPassedOn(file: RustFile, argument: Range): boolean {
  const signature = /fn (\w+)\(([^{]*)\{[^{}]*$/.exec(file.code.slice(0, argument.from));
  return (
    constructors[signature?.[1] ?? ""] !== undefined && signature?.[2]?.includes(`${textOf(file, argument)}:`) === true
  );
}

/** The sentences of an expression, or of the variables that it names. */
function sentencesIn(file: RustFile, range: Range): string[] {
  const formats = [...file.code.slice(range.from, range.to).matchAll(/\bformat!\(/g)].map((found) =>
    closing(file, range.from + found.index + found[0].length - 1),
  );
  const direct = within(file, range).filter(
    (literal) => !formats.some(({ from, to }) => literal.at > from && literal.at < to && !isFirst(file, from, literal)),
  );
  if (direct.length > 0) {
    return direct.map((literal) =>
      formats.some(({ from }) => isFirst(file, from, literal)) ? holes(file, literal) : literal.text,
    );
  }
  const names = [...textOf(file, range).matchAll(/\b[a-z_]+\b/g)].map((found) => found[0]);
  return names.flatMap((name) => sentencesNamed(file, name, range.from));
}

/** What a variable says that was bound before a place in the same function, on its own or as part of a tuple. */
function sentencesNamed(file: RustFile, name: string, before: number): string[] {
  const begin = beginningOfFunction(file, before);
  const binding = new RegExp(`\\blet (${name}|\\([^)=]*\\b${name}\\b[^)=]*\\)) =`, "g");
  const found = [...file.code.slice(begin, before).matchAll(binding)].findLast((one) =>
    isStillOpen(file.code.slice(begin + one.index, before)),
  );
  if (!found) return [];
  const value = statement(file, begin + found.index + found[0].length);
  if (found[1] === name) return sentencesIn(file, value);
  const bound = (found[1] ?? "")
    .slice(1, -1)
    .split(",")
    .map((one) => one.trim());
  const tuples = [...file.code.slice(value.from, value.to).matchAll(/(?<![\w!])\(/g)].map((open) =>
    partsOf(file, value.from + open.index),
  );
  return tuples
    .filter((parts) => parts.length === bound.length)
    .flatMap((parts) => {
      const part = parts[bound.indexOf(name)];
      return part ? sentencesIn(file, part) : [];
    });
}

/** Whether the block in which a text begins goes on to its end. */
function isStillOpen(code: string): boolean {
  let depth = 0;
  for (const letter of code) {
    if (letter === "{") depth += 1;
    if (letter === "}") depth -= 1;
    if (depth < 0) return false;
  }
  return true;
}

/** A format with its values by name: what stands in it as a constant or as a sentence of its own is put in. */
function holes(file: RustFile, literal: Literal): string {
  let unnamed = 0;
  return literal.text.replace(/\{\{|\}\}|\{(\w*)(?::[^}]*)?\}/g, (found, name: string | undefined) => {
    if (name === undefined) return found.charAt(0);
    if (name === "") return `{${unnamed++}}`;
    return inlined(file, name, literal.at) ?? `{${name}}`;
  });
}

function inlined(file: RustFile, name: string, before: number): string | undefined {
  const constant = new RegExp(`\\bconst ${name}: &str = `).exec(file.code);
  if (constant) return within(file, statement(file, constant.index + constant[0].length))[0]?.text;
  const begin = beginningOfFunction(file, before);
  const found = [...file.code.slice(begin, before).matchAll(new RegExp(`\\blet ${name} = (?=format!|")`, "g"))].at(-1);
  return found && sentencesIn(file, statement(file, begin + found.index + found[0].length))[0];
}

function beginningOfFunction(file: RustFile, at: number): number {
  return Math.max(0, file.code.lastIndexOf("fn ", at));
}

function within(file: RustFile, { from, to }: Range): Literal[] {
  return file.literals.filter((literal) => literal.at >= from && literal.end <= to);
}

function isFirst(file: RustFile, open: number, literal: Literal): boolean {
  return file.code.slice(open + 1, literal.at).trim() === "" && open < literal.at;
}

function textOf(file: RustFile, { from, to }: Range): string {
  return file.code.slice(from, to).trim();
}

/** From an opening bracket to the one that closes it. */
function closing(file: RustFile, open: number): Range {
  let depth = 0;
  for (let at = open; at < file.code.length; at += 1) {
    if ("([{".includes(file.code.charAt(at))) depth += 1;
    if (")]}".includes(file.code.charAt(at))) depth -= 1;
    if (depth === 0) return { from: open, to: at };
  }
  throw new Error(`${file.path}: a bracket is not closed`);
}

/** The parts between commas inside the brackets that open at a place. */
function partsOf(file: RustFile, open: number): Range[] {
  const { to } = closing(file, open);
  const parts: Range[] = [];
  let from = open + 1;
  for (let at = from; at < to; at += 1) {
    const letter = file.code.charAt(at);
    if ("([{".includes(letter)) at = closing(file, at).to;
    if (letter !== ",") continue;
    parts.push({ from, to: at });
    from = at + 1;
  }
  if (file.code.slice(from, to).trim() !== "") parts.push({ from, to });
  return parts;
}

/** From a place to the semicolon that ends the statement. */
function statement(file: RustFile, from: number): Range {
  for (let at = from; at < file.code.length; at += 1) {
    if ("([{".includes(file.code.charAt(at))) at = closing(file, at).to;
    if (file.code.charAt(at) === ";") return { from, to: at };
  }
  return { from, to: file.code.length };
}
