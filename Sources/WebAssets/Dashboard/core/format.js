// Numbers, times and sizes as text.
const whole = new Intl.NumberFormat('en-GB');

export const count = (value) => (value === null || value === undefined ? '–' : whole.format(value));

/** 0.1234 as "12.3 %"; small shares keep two significant digits. */
export function percent(share, digits) {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = share * 100;
  const places = digits ?? (value !== 0 && Math.abs(value) < 1 ? 2 : 1);
  return `${value.toFixed(places)} %`;
}

/** A change between two shares, in percentage points. */
export function points(change) {
  if (!Number.isFinite(change)) return '–';
  return `${change >= 0 ? '+' : '−'}${Math.abs(change * 100).toFixed(1)} points`;
}

export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(1).replace('e', ' × 10^').replace('^+', '^');
  return String(Number(value.toPrecision(digits)));
}

export function bytes(size) {
  if (size === null || size === undefined) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  if (hours < 36) return `${hours.toFixed(1)} h`;
  return `${Math.round(hours / 24)} days`;
}

export function age(timestamp, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(timestamp)) / 1000);
  return seconds < 5 ? 'just now' : `${duration(seconds).replace(/\.\d s/, ' s')} ago`;
}

export function when(timestamp) {
  if (!timestamp) return '–';
  return new Date(timestamp).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

export const clock = (timestamp) => new Date(timestamp).toLocaleTimeString('en-GB');

/** "a, b and c" */
export function list(words) {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The first ten, and how many more there are. */
export const listed = (names) => (names.length > 10
  ? `${names.slice(0, 10).join(', ')} and ${count(names.length - 10)} others` : list(names));

/** snake_case and kebab-case names as words. */
export function words(name) {
  const text = String(name).replace(/[_-]/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const plural = (amount, one, many = `${one}s`) => `${count(amount)} ${amount === 1 ? one : many}`;
