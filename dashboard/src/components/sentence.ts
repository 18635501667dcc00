/** A text of the service, which begins small because it stands within other texts there, as a sentence of its own. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…。！？]$/.test(begun) ? begun : `${begun}.`;
}
