// A table of counts from one class to another, as shades.
import { s } from '../core/dom.js';
import { count } from '../core/format.js';
import { chart, figure, table } from './figure.js';

const left = 96;
const top = 84;

/**
 * @param {{title: string, note: string, rows: string[], columns: string[], values: number[][], across: string,
 *   down: string, bad: Function, share: boolean}} options values[row][column]; bad(row, column) colours a cell as
 *   an error; share shades each row by its own sum.
 */
export function matrix({ title, note, rows, columns, values, across, down, bad = () => false, byRow = false }) {
  const size = Math.max(14, Math.min(44, Math.floor(440 / columns.length)));
  const width = left + size * columns.length + 8;
  const height = top + size * rows.length + 8;
  const peak = Math.max(1, ...values.flat());
  const cells = values.map((line, row) => {
    const most = byRow ? Math.max(1, line.reduce((sum, value) => sum + value, 0)) : peak;
    return line.map((value, column) => {
      const strength = value / most;
      return [
        s('rect', {
          class: value ? (bad(row, column) ? 'cell-bad' : 'cell') : 'empty-cell', x: left + column * size + 1,
          y: top + row * size + 1, width: size - 2, height: size - 2, rx: 2,
          opacity: value ? 0.12 + 0.88 * Math.sqrt(strength) : 1 },
        s('title', {}, `${rows[row]} → ${columns[column]}: ${count(value)}`)),
        value > 0 && size >= 26 && s('text', {
          class: `on-cell ${Math.sqrt(strength) > 0.55 ? 'cell-dark' : 'cell-light'}`,
          x: left + (column + 0.5) * size, y: top + (row + 0.5) * size + 4, 'text-anchor': 'middle' },
        value > 9999 ? `${Math.round(value / 1000)}k` : value)];
    });
  });
  const short = (name) => (name.length > 13 ? `${name.slice(0, 12)}…` : name);
  const drawing = chart(width, height, `${title}: ${largest(rows, columns, values)}`,
    rows.map((name, row) => s('text', { x: left - 6, y: top + (row + 0.5) * size + 4, 'text-anchor': 'end' },
      short(name))),
    columns.map((name, column) => s('text', {
      transform: `translate(${left + (column + 0.5) * size + 4} ${top - 6}) rotate(-50)` }, short(name))),
    s('text', { class: 'strong', x: left - 6, y: top - 8, 'text-anchor': 'end' }, down),
    s('text', { class: 'strong', x: width - 4, y: 12, 'text-anchor': 'end' }, across), cells);
  drawing.style.maxWidth = `${Math.max(width, 320)}px`;
  return figure(title, note, drawing,
    table([`${down} ↓ / ${across} →`, ...columns], rows.map((name, row) => [name, ...values[row].map(count)])));
}

function largest(rows, columns, values) {
  const cells = values.flatMap((line, row) => line.map((value, column) => ({ row, column, value })));
  return cells.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value).slice(0, 5)
    .map(({ row, column, value }) => `${rows[row]} to ${columns[column]} ${count(value)}`).join(', ') || 'no counts';
}

/** The classes with the largest counts, where there are too many to draw, in their own order. */
export function busiest(names, values, most = 40) {
  if (names.length <= most) return { names, values, note: '' };
  const sums = names.map((_, label) => values[label].reduce((sum, value) => sum + value, 0)
    + values.reduce((sum, row) => sum + row[label], 0));
  const kept = names.map((_, label) => label).sort((a, b) => sums[b] - sums[a]).slice(0, most).sort((a, b) => a - b);
  return {
    names: kept.map((label) => names[label]), values: kept.map((row) => kept.map((column) => values[row][column])),
    note: ` The ${most} of ${names.length} classes with the largest counts.`,
  };
}

/** Entries as {from, to, count} into values[from][to]. */
export function square(size, entries) {
  const values = Array.from({ length: size }, () => Array(size).fill(0));
  for (const { from, to, count: amount } of entries) {
    if (from < size && to < size) values[from][to] += amount;
  }
  return values;
}
