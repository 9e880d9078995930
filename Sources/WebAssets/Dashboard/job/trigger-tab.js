// The estimated trigger of each affected class: alone, and on an image.
import { probe } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { percent, words } from '../core/format.js';
import { emptyView, missingView } from '../core/problem-view.js';
import { picture } from './picture.js';

export async function show(container, { job, signal }) {
  if (!job.phases.some(({ phase }) => phase === 'detection')) {
    fill(container, emptyView('There is no trigger yet', h('p', {}, 'It is estimated in the detection. ',
      h('a', { href: `#/jobs/${job.id}/progress` }, 'Follow the progress'))));
    return;
  }
  const { value, missing } = await probe(`/v1/jobs/${job.id}/triggers`, { signal });
  if (!value) {
    fill(container, missingView(missing, 'There is no estimated trigger to look at'));
    return;
  }
  const triggers = Array.isArray(value) ? value : value.items ?? [];
  if (triggers.length === 0) {
    fill(container, emptyView('No trigger was estimated', h('p', {}, ['clean', 'undetermined'].includes(job.verdict?.result)
      ? 'No class was suspicious.' : 'The evidence lies elsewhere: see the verdict.')));
    return;
  }
  fill(container, h('p', {}, 'The mean perturbation of a flagged class, turned around, is an estimate of its trigger. It shows ',
    'where and how the model is made to change its mind; it need not look like what the attacker used.'),
  triggers.map((trigger) => card(trigger, signal)));
}

function card(trigger, signal) {
  const { label, name, form, effect, random, images } = trigger;
  const title = `trigger-${label}`;
  const works = effect === null || effect === undefined ? 'Its effect was not measured.'
    : `Added to images of other classes, it sends ${percent(effect)} of them into “${name}”`
      + (random === null || random === undefined ? '.' : `; a random pattern of the same strength sends ${percent(random)}.`);
  const picked = [
    ['direction', 'Trigger alone', `Grey means no change.${images.amplification
      ? ` Amplified ${Number(images.amplification).toPrecision(2)} times.` : ''}`],
    ['clean', 'A clean image', 'As it is in the data set.'],
    ['stamped', 'With the trigger', `The model now answers “${name}”.`],
  ].filter(([view]) => images[view]);
  return h('section', { class: 'panel', 'aria-labelledby': title },
    h('div', { class: 'panel-head' }, h('h2', { id: title }, `Into “${name}”`),
      form && h('span', { class: 'quiet' }, `Form: ${words(form).toLowerCase()}`)),
    h('p', {}, works),
    h('div', { class: 'pictures' }, picked.map(([view, heading, text]) => picture(images[view], heading, text, signal))));
}
