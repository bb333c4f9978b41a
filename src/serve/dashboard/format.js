// Numbers and times as people of the page's language write them.

import { locale, words } from "./words.js";

const numbers = new Map();

export function number(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  if (!numbers.has(digits)) {
    numbers.set(digits, new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return numbers.get(digits).format(Number(value)).replace(/^-/, "−");
}

/** A power as number and unit: watts, or kilowatts from ten on. */
export function power(watts) {
  if (watts === null || watts === undefined) return ["–", "W"];
  return Math.abs(watts) >= 10000 ? [number(watts / 1000, 2), "kW"] : [number(watts), "W"];
}

const form = (options) => new Intl.DateTimeFormat(locale, options);
const forms = {
  second: form({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  minute: form({ hour: "2-digit", minute: "2-digit" }),
  day: form({ day: "numeric", month: "short" }),
  dayLong: form({ weekday: "short", day: "numeric", month: "short" }),
  month: form({ month: "short" }),
  monthYear: form({ month: "short", year: "numeric" }),
  year: form({ year: "numeric" }),
  full: form({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  fullSecond: form({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  date: form({ weekday: "short", day: "numeric", month: "short", year: "numeric" }),
};

export const time = (name, at) => forms[name].format(at);

const ago = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });

/** How long ago, in one unit. */
export function since(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 2) return words.justNow;
  if (seconds < 120) return ago.format(-seconds, "second");
  if (seconds < 7200) return ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 172800) return ago.format(-Math.round(seconds / 3600), "hour");
  return ago.format(-Math.round(seconds / 86400), "day");
}

/** A length of time in one or two units. */
export function lasting(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${number(seconds / 3600, 1)} h`;
}
