// What can be done with the chosen samples, and with all judgements.
import { fill, h } from '../core/dom.js';
import { count, plural } from '../core/format.js';
import { save } from '../core/download.js';
import { csv } from './sample-csv.js';

export function selectionBar(job, { selected, desk, name, clear }) {
  const element = h('section', { class: 'panel selection', 'aria-label': 'Selection and reviews' });
  const update = () => {
    const samples = [...selected.values()];
    const judge = (decision) => desk.put(samples, decision);
    const none = samples.length === 0;
    fill(element,
      h('div', { class: 'actions' }, h('strong', { role: 'status' }, `${count(samples.length)} selected`),
        h('button', { type: 'button', disabled: none, on: { click: () => judge('accept') } }, 'Poisoned'),
        h('button', { type: 'button', disabled: none, on: { click: () => judge('reject') } }, 'Clean'),
        h('button', { type: 'button', disabled: none, on: { click: () => judge(null) } }, 'Take back'),
        h('button', {
          type: 'button', disabled: none,
          on: { click: () => save(csv(samples, name), `selection-${job.id}.csv`) } }, 'Export as CSV'),
        h('button', { type: 'button', class: 'quiet-button', disabled: none, on: { click: clear } }, 'Clear')),
      h('div', { class: 'actions' },
        h('span', { class: 'quiet' }, desk.total() ? `${plural(desk.total(), 'sample')} reviewed by hand` : 'None reviewed by hand'),
        desk.total() > 0 && h('a', { class: 'button',
          href: `#/start?type=purify&model=${job.model}&dataset=${job.dataset}&reviews=${job.id}` },
        'Purify with these reviews')));
  };
  update();
  return { element, update };
}
