// What each round of the retraining reached, and the relearning curve where one was measured.
import { h, scrollable } from '../core/dom.js';
import { number, percent, words } from '../core/format.js';
import { lineChart } from '../charts/line-chart.js';

const isShare = (name) => /accuracy|asr|agreement|rate|ra$/.test(name) && !/samples|per/.test(name);

export function roundsPanel(metrics, curves) {
  const rounds = new Map();
  for (const point of metrics) {
    if (!['decoupling', 'refinement'].includes(point.phase)) continue;
    const name = point.round ? `${words(point.phase)}, round ${point.round}` : words(point.phase);
    if (!rounds.has(name)) rounds.set(name, new Map());
    rounds.get(name).set(point.name, point.value);
  }
  const series = (Array.isArray(curves) ? curves : curves?.items ?? []).filter(({ name }) => /relearn/.test(name));
  if (!rounds.size && !series.length) return null;
  const names = [...new Set([...rounds.values()].flatMap((values) => [...values.keys()]))];
  const text = (name, value) => (value === undefined ? '–' : name === 'accepted' ? (value ? 'yes' : 'no')
    : isShare(name) ? percent(value) : number(value));
  return h('section', { class: 'panel', 'aria-labelledby': 'rounds-title' },
    h('h2', { id: 'rounds-title' }, 'Rounds of the purification'),
    rounds.size > 0 && scrollable('Rounds', h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Step'),
        names.map((name) => h('th', { scope: 'col', class: 'number' }, words(name))))),
      h('tbody', {}, [...rounds].map(([title, values]) => h('tr', {}, h('th', { scope: 'row' }, title),
        names.map((name) => h('td', { class: 'number' }, text(name, values.get(name))))))))),
    series.length > 0 && lineChart({
      title: 'Relearning', note: 'Attack success of the purified model while it is trained again on a few poisoned samples.',
      share: true, series: series.map(({ name, points }) => ({ name: words(name), points })) }));
}
