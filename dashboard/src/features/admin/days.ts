// Pure: the days that a filter goes from and until, as the reader counts days, and the instants that the service is asked for.

export type DayEnd = "after" | "before";

/** `2026-03-01` as an instant: the beginning of that day where one is, or its end for what goes until it. */
export function instantOf(end: DayEnd, day: string): string {
  const [year, month, date] = day.split("-").map(Number);
  if (year === undefined || month === undefined || date === undefined) return "";
  return new Date(year, month - 1, end === "after" ? date : date + 1).toISOString();
}

/** The day that an instant of the address stands for; nothing for what is no instant. */
export function dayOf(end: DayEnd, instant: string | undefined): string {
  const ms = Date.parse(instant ?? "");
  if (Number.isNaN(ms)) return "";
  // Until the end of a day is until the beginning of the next one.
  const date = new Date(end === "after" ? ms : ms - 1);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
