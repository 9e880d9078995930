// One bar a class, with the value it is held against.
import { s } from '../core/dom.js';
import { percent } from '../core/format.js';
import { chart, figure, legend, table } from './figure.js';
import { extent, scale, ticks } from './scale.js';

const width = 560;
const box = { left: 120, right: 64, top: 8, bottom: 26 };
const step = 24;

/**
 * @param {{title: string, note: string, rows: {name: string, value: number, other: number, strong: boolean}[],
 *   names: [string, string]}} options shares from 0 to 1; `other` is drawn as a mark.
 */
export function shareChart({ title, note, rows, names }) {
  const height = box.top + rows.length * step + box.bottom;
  const high = extent(rows.flatMap(({ value, other }) => [value ?? 0, other ?? 0]), { zero: true })[1] || 1;
  const x = scale([0, high], [box.left, width - box.right]);
  const drawing = chart(width, height, `${title}. ${rows.map((row) => (
    `${row.name}: ${percent(row.value)} against ${percent(row.other)}`)).join('; ')}`,
    ticks(0, high, 4).map((value) => [
      s('line', { class: 'grid', x1: x(value), x2: x(value), y1: box.top, y2: height - box.bottom }),
      s('text', { x: x(value), y: height - 8, 'text-anchor': 'middle' }, percent(value, high < 0.04 ? 1 : 0))]),
    rows.map(({ name, value, other, strong }, index) => {
      const middle = box.top + index * step + step / 2;
      return [
        s('text', { class: strong ? 'strong' : '', x: box.left - 8, y: middle + 4, 'text-anchor': 'end' },
          name.length > 17 ? `${name.slice(0, 16)}…` : name),
        s('rect', { class: strong ? 'f2' : 'f1 soft', x: box.left, y: middle - 7, height: 14, rx: 2,
          width: Math.max(1, x(value ?? 0) - box.left) }),
        other !== null && other !== undefined
          && s('line', { class: 'axis', x1: x(other), x2: x(other), y1: middle - 10, y2: middle + 10,
            'stroke-width': 3 }),
        s('text', { class: strong ? 'strong' : '', x: Math.max(x(value ?? 0), x(other ?? 0)) + 6, y: middle + 4 },
          percent(value))];
    }));
  return figure(title, note, drawing,
    table(['Class', ...names], rows.map(({ name, value, other }) => [name, percent(value), percent(other)])),
    legend([[2, `${names[0]}, affected class`], [1, `${names[0]}, other class`, true]]));
}
