// Accuracy of each class, before and after, as two dots on a line.
import { h, s } from '../core/dom.js';
import { percent, points } from '../core/format.js';
import { chart, figure, legend, table } from '../charts/figure.js';
import { scale, ticks } from '../charts/scale.js';

const width = 720;
const box = { left: 120, right: 90, top: 8, bottom: 26 };
const step = 24;

export function classAccuracies(classes, where) {
  const height = box.top + classes.length * step + box.bottom;
  const x = scale([0, 1], [box.left, width - box.right]);
  const drawing = chart(width, height, `Accuracy of each class ${where}. ${classes.map((entry) => (
    `${entry.name}: ${percent(entry.acc_before)} before, ${percent(entry.acc_after)} after`)).join('; ')}`,
    ticks(0, 1, 4).map((value) => [
      s('line', { class: 'grid', x1: x(value), x2: x(value), y1: box.top, y2: height - box.bottom }),
      s('text', { x: x(value), y: height - 8, 'text-anchor': 'middle' }, percent(value, 0))]),
    classes.map(({ name, acc_before: before, acc_after: after }, index) => {
      const y = box.top + (index + 0.5) * step;
      if (!Number.isFinite(before)) return null;
      const both = Number.isFinite(after);
      return [
        s('text', { x: box.left - 8, y: y + 4, 'text-anchor': 'end' }, name.length > 17 ? `${name.slice(0, 16)}…` : name),
        both && s('line', { class: 'axis', x1: x(before), x2: x(after), y1: y, y2: y, 'stroke-width': 2 }),
        s('circle', { class: 'hollow s2', cx: x(before), cy: y, r: 5 }),
        both && s('circle', { class: 'f3', cx: x(after), cy: y, r: 5.5 }),
        s('text', { x: width - box.right + 8, y: y + 4 }, both ? points(after - before) : percent(before))];
    }));
  drawing.style.maxWidth = `${width}px`;
  return h('section', { class: 'panel' }, figure('Accuracy of each class', `Measured ${where}.`, drawing,
    table(['Class', 'Before', 'After'], classes.map((entry) => [
      entry.name, percent(entry.acc_before), percent(entry.acc_after)])),
    legend([[2, 'Before'], [3, 'After']])));
}
