// Pure: a text that lacks something in places, as its parts; `undefined` stands where something is missing.

export function partsOf(text: string, gaps: readonly number[]): (string | undefined)[] {
  const parts: (string | undefined)[] = [];
  let end = 0;
  for (const gap of gaps) {
    if (gap > end) parts.push(text.slice(end, gap));
    parts.push(undefined);
    end = gap;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}
