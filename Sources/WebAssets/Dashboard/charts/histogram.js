// How boundary distances are spread in a class: unflagged samples, and flagged ones.
import { s } from '../core/dom.js';
import { count, number } from '../core/format.js';
import { chart, figure, table } from './figure.js';
import { extent, scale, ticks } from './scale.js';

const width = 260;
const height = 150;
const box = { left: 8, right: 8, top: 8, bottom: 22 };

/** Flagged samples are magnified, up to four times: a few would vanish beside thousands of others. */
export function histogram({ title, edges, unflagged, flagged }) {
  const x = scale([edges[0], edges.at(-1)], [box.left, width - box.right]);
  const base = height - box.bottom;
  const most = (counts) => extent(counts, { zero: true })[1];
  const bars = (counts, peak, series, soft) => {
    return counts.map((value, index) => value > 0 && s('rect', {
      class: `f${series}${soft ? ' soft' : ''}`, x: x(edges[index]) + 0.5,
      width: Math.max(1, x(edges[index + 1]) - x(edges[index]) - 1),
      y: base - (value / peak) * (base - box.top), height: (value / peak) * (base - box.top) }));
  };
  const total = (counts) => counts.reduce((sum, value) => sum + value, 0);
  const drawing = chart(width, height,
    `${title}: boundary distances of ${count(total(unflagged))} unflagged and ${count(total(flagged))} flagged samples`,
    bars(unflagged, most(unflagged) || 1, 1, true),
    bars(flagged, Math.max(most(flagged), most(unflagged) / 4, 1), 2, false),
    s('line', { class: 'axis', x1: box.left, x2: width - box.right, y1: base, y2: base }),
    ticks(edges[0], edges.at(-1), 4).map((value) => s('text', {
      x: x(value), y: height - 6, 'text-anchor': 'middle' }, number(value))));
  const rows = unflagged.map((value, index) => [
    `${number(edges[index])} – ${number(edges[index + 1])}`, count(value), count(flagged[index])]);
  return figure(title, `${count(total(unflagged))} unflagged, ${count(total(flagged))} flagged`, drawing,
    table(['Distance', 'Unflagged', 'Flagged'], rows));
}
