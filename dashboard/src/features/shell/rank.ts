// Pure: how well an entry fits what was typed. Letters that merely occur in order are no match: people type words.

/** 0 is no match, 1 the best: every word must occur, and a beginning counts more than a middle. */
export function rank(entry: string, typed: string): number {
  const text = entry.toLowerCase();
  const words = typed.toLowerCase().trim().split(/\s+/).filter(Boolean);
  let worst = 1;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at < 0) return 0;
    const begins = at === 0 ? 1 : /[\s/:_-]/.test(text.charAt(at - 1)) ? 0.8 : 0.4;
    worst = Math.min(worst, begins);
  }
  // Of two that fit alike, the shorter says more exactly what was meant.
  return worst - Math.min(text.length, 200) / 2_000;
}
