// The present as the service has it. Ages and durations are counted from its instants, and the clock of the reader may be wrong.

/** Answers tell whole seconds and take a while to come: less than this is no difference. */
const NOTICEABLE_MS = 3_000;

let aheadMs = 0;

/** Takes over what an answer says about the time, in the form of HTTP. */
export function setByAnswer(date: string | null): void {
  const instant = Date.parse(date ?? "");
  if (Number.isNaN(instant)) return;
  const difference = instant + 500 - Date.now();
  // A difference that is known does not change with each answer: what counts up would jump.
  if (Math.abs(difference - aheadMs) < NOTICEABLE_MS) return;
  aheadMs = Math.abs(difference) < NOTICEABLE_MS ? 0 : difference;
}

export function serviceNow(): number {
  return Date.now() + aheadMs;
}
