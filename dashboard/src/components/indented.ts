// Pure: texts of programs, as people read them.

/** JSON with a line for each part; any other text as it is. */
export function indented(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Cut off, or something else that begins like JSON.
    return text;
  }
}

/** A sentence or two, and not something that a program has printed. */
export function isSentence(text: string): boolean {
  return text.length <= 240 && !/[\n\r]/.test(text.trim()) && !/^\s*[[{<]/.test(text);
}
