// Curves over steps.
import { h, s } from '../core/dom.js';
import { number } from '../core/format.js';
import { chart, figure, legend, table } from './figure.js';
import { extent, scale, ticks } from './scale.js';

const width = 560;
const height = 240;
const box = { left: 46, right: 12, top: 10, bottom: 30 };

/**
 * @param {{title: string, note: string, unit: string, series: {name: string, points: [number, number][]}[],
 *   share: boolean}} options points are [step, value]; share draws 0 to 1.
 */
export function lineChart({ title, note, series, share = false, axis = 'step' }) {
  const drawn = series.filter(({ points }) => points.length);
  const across = extent(drawn.flatMap(({ points }) => points.map(([step]) => step)));
  const [low, high] = extent(drawn.flatMap(({ points }) => points.map(([, value]) => value)), { zero: !share });
  const up = share ? [Math.min(low, 0), Math.max(high, 1)] : [low, high || 1];
  const x = scale(across, [box.left, width - box.right]);
  const y = scale(up, [height - box.bottom, box.top]);
  const drawing = chart(width, height, `${title}: ${summary(drawn)}`,
    ticks(up[0], up[1]).map((value) => [
      s('line', { class: 'grid', x1: box.left, x2: width - box.right, y1: y(value), y2: y(value) }),
      s('text', { x: box.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, number(value))]),
    ticks(across[0], across[1], 5).map((value) => s('text', {
      x: x(value), y: height - box.bottom + 16, 'text-anchor': 'middle' }, number(value))),
    s('text', { x: width - box.right, y: height - 2, 'text-anchor': 'end' }, axis),
    drawn.map(({ points }, index) => [
      s('path', { class: `line s${(index % 5) + 1}`, d: points.map(([step, value], place) => (
        `${place ? 'L' : 'M'}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)).join('') }),
      points.length === 1 && s('circle', { class: `f${(index % 5) + 1}`, r: 3, cx: x(points[0][0]),
        cy: y(points[0][1]) })]));
  drawing.style.maxWidth = `${width * 1.2}px`;
  return figure(title, note, drawing,
    table(['Series', 'Points', 'First', 'Last'], drawn.map(({ name, points }) => [
      name, points.length, number(points[0][1]), number(points.at(-1)[1])])),
    drawn.length > 1 ? legend(drawn.map(({ name }, index) => [(index % 5) + 1, name])) : h('span', { hidden: true }));
}

function summary(series) {
  return series.map(({ name, points }) => (
    `${name} from ${number(points[0][1])} to ${number(points.at(-1)[1])} over ${points.length} points`)).join('; ');
}
