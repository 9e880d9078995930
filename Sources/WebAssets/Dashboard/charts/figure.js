// What all figures have: a title, a sentence that says how to read it, and the same numbers as a table.
import { h, s, scrollable } from '../core/dom.js';

/** A drawing area; its words for those who do not see it are in `label`. */
export function chart(width, height, label, ...children) {
  return s('svg', {
    class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label,
  }, ...children);
}

export function figure(title, explanation, drawing, table, legend) {
  return h('figure', { class: 'figure' },
    h('figcaption', {}, title, explanation && h('span', {}, explanation)),
    legend, drawing,
    table && h('details', {}, h('summary', {}, 'Show the numbers'), scrollable(`${title}: numbers`, table)));
}

export function table(head, rows) {
  return h('table', {},
    h('thead', {}, h('tr', {}, head.map((text, index) => h('th', {
      scope: 'col', class: index ? 'number' : '' }, text)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, index) => (index === 0
      ? h('th', { scope: 'row' }, cell) : h('td', { class: 'number' }, cell)))))));
}

/** Entries: [number of the series, text, whether it is drawn softly]. */
export function legend(entries) {
  return h('ul', { class: 'legend' }, entries.map(([series, text, soft]) => h('li', {},
    s('svg', { viewBox: '0 0 14 14', 'aria-hidden': 'true' },
      s('rect', { class: `f${series}`, opacity: soft ? 0.45 : 1, x: 1, y: 2, width: 12, height: 10, rx: 2 })), text)));
}
