// Sentences of the service in another language, in the way of gettext: the English sentence is the key, its translation the value.
// A name in braces stands for what the service puts in there, and is put into the translation at the same name; `{word:name}`
// puts it in translated, because it is a word of the service itself. A space beside the braces is for what is written with Latin
// letters: between Chinese characters there is none.

/** Says a sentence in the language of a catalog; what the catalog lacks is `undefined`. */
export type Translator = (sentence: string) => string | undefined;

interface Pattern {
  matches: RegExp;
  names: string[];
  translation: string;
  /** How many characters of it are certain. */
  weight: number;
}

const HOLE = /\{(\w+)\}/g;
const CHINESE = /[\p{Script=Han}“”（）]/u;

export function translatorOf(catalog: Readonly<Record<string, string>>): Translator {
  const whole = new Map(Object.entries(catalog));
  const patterns = Object.entries(catalog)
    .filter(([sentence]) => sentence.search(HOLE) >= 0)
    .map(([sentence, translation]) => patternOf(sentence, translation))
    // What fits two of them is said by the one that leaves less open.
    .sort((one, other) => other.weight - one.weight);
  const translate: Translator = (sentence) => {
    const known = whole.get(sentence);
    if (known !== undefined) return known;
    for (const { matches, names, translation } of patterns) {
      const found = matches.exec(sentence);
      if (!found) continue;
      const values = new Map(names.map((name, index) => [name, found[index + 1] ?? ""]));
      const filled = / ?\{(word:)?(\w+)\} ?/g;
      return translation.replace(filled, (hole, isWord: string | undefined, name: string) => {
        const value = values.get(name);
        if (value === undefined) return hole;
        const said = isWord ? (translate(value) ?? quoted(value)) : value;
        const before = hole.startsWith(" ") && !CHINESE.test(said.charAt(0)) ? " " : "";
        const after = hole.endsWith(" ") && !CHINESE.test(said.charAt(said.length - 1)) ? " " : "";
        return before + said + after;
      });
    }
    return undefined;
  };
  return translate;
}

/** Several words in their quotes, as Chinese lists them. */
function quoted(value: string): string {
  return /^'[^']*'(?:, '[^']*')*$/.test(value) ? value.replace(/'([^']*)'/g, "“$1”").replaceAll("”, “", "”、“") : value;
}

function patternOf(sentence: string, translation: string): Pattern {
  const texts = sentence.split(/\{\w+\}/);
  return {
    matches: new RegExp(`^${texts.map(escaped).join("(.*?)")}$`, "s"),
    names: [...sentence.matchAll(HOLE)].map((hole) => hole[1] ?? ""),
    translation,
    weight: texts.join("").length,
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
