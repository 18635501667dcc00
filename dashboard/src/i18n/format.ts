// Numbers, times and durations in the reader's language.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The parts of a duration that matter at its size: `412 ms`, `3.4 s`, `2 m 05 s`, `1 h 20 m`, `3 d 4 h`. */
export function duration(ms: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  // Which parts matter is decided by what is shown: there are no 60 minutes.
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds} s`;
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(region: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = region + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(region, options);
    formats.set(key, format);
  }
  return format;
}

const numberFormats = new Map<string, Intl.NumberFormat>();

export function numberFormat(language: string): Intl.NumberFormat {
  let format = numberFormats.get(language);
  if (!format) {
    format = new Intl.NumberFormat(language);
    numberFormats.set(language, format);
  }
  return format;
}

export interface Formats {
  number(value: number): string;
  compact(value: number): string;
  percent(fraction: number): string;
  dollars(value: number): string;
  duration(ms: number): string;
  /** `just now`, `5 minutes ago`. */
  ago(instant: string, now: number): string;
  /** Without the day when it is the one that begins at `midnight`. */
  soon(instant: string, midnight: number): string;
  /** With milliseconds. */
  clock(instant: string): string;
  moment(instant: string): string;
}

/** How long ago something was. The standard's Chinese has no space after a number, and says 现在, at present, of what was just now. */
function relativeOf(language: string): (value: number, unit: Intl.RelativeTimeFormatUnit) => string {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  if (!language.startsWith("zh")) return (value, unit) => relative.format(value, unit);
  return (value, unit) => (value === 0 ? "刚刚" : relative.format(value, unit).replace(/\d(?=\p{Script=Han})/u, "$& "));
}

/** Days and times as the reader's region writes them: the same English is read with a clock of twelve and of twenty-four hours. */
export function formatsOf(language: string, region = language): Formats {
  const relative = relativeOf(language);
  const moment = (instant: string) =>
    dateFormat(region, { dateStyle: "medium", timeStyle: "medium" }).format(Date.parse(instant));
  const money = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" } as const;
  const dollars = new Intl.NumberFormat(language, { ...money, maximumFractionDigits: 2 });
  const cents = new Intl.NumberFormat(language, { ...money, maximumFractionDigits: 4 });
  const number = numberFormat(language);
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  return {
    number: (value) => number.format(value),
    compact: (value) => compact.format(value),
    percent: (fraction) => percent.format(fraction),
    dollars: (value) => (value !== 0 && Math.abs(value) < 1 ? cents : dollars).format(value),
    duration,
    ago(instant, now) {
      const ms = now - Date.parse(instant);
      if (ms < 10_000) return relative(0, "second");
      if (ms < MINUTE) return relative(-Math.round(ms / 1_000), "second");
      if (ms < HOUR) return relative(-Math.round(ms / MINUTE), "minute");
      if (ms < DAY) return relative(-Math.round(ms / HOUR), "hour");
      if (ms < 30 * DAY) return relative(-Math.round(ms / DAY), "day");
      return dateFormat(region, { dateStyle: "medium" }).format(Date.parse(instant));
    },
    soon(instant, midnight) {
      const isToday = new Date(Date.parse(instant)).setHours(0, 0, 0, 0) === midnight;
      return isToday ? dateFormat(region, { timeStyle: "medium" }).format(Date.parse(instant)) : moment(instant);
    },
    clock: (instant) =>
      dateFormat(language, {
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
        fractionalSecondDigits: 3,
        hourCycle: "h23",
      }).format(Date.parse(instant)),
    moment,
  };
}
