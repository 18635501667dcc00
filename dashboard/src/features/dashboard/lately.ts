// Pure: what a figure was in the last minutes, as far as somebody has looked.

export interface Sample {
  at: number;
  value: number;
}

/** The service keeps no history of this moment: it begins when the page is opened. */
export const KEPT_MS = 10 * 60_000;
const POINTS = 60;

/** What is known with one more sample; what is too old is forgotten. */
export function withSample(samples: readonly Sample[], value: number, now: number): Sample[] {
  const kept = samples.filter((_, index) => (samples[index + 1]?.at ?? now) > now - KEPT_MS);
  const last = kept.at(-1);
  return last?.value === value ? kept : [...kept, { at: now, value }];
}

/** The figure at evenly spaced instants until now; a value holds until the next one. Nothing before two instants are known. */
export function course(samples: readonly Sample[], now: number): number[] {
  const first = samples[0];
  if (!first) return [];
  const begin = Math.max(first.at, now - KEPT_MS);
  if (now - begin < 2_000) return [];
  const values: number[] = [];
  let index = 0;
  for (let point = 0; point < POINTS; point += 1) {
    const at = begin + ((now - begin) * point) / (POINTS - 1);
    while ((samples[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) index += 1;
    values.push(samples[index]?.value ?? first.value);
  }
  return values;
}
