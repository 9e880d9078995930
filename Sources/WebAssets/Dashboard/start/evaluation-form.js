// Sets beside the training set: evaluation sets, only for measuring, and trusted images, which a purification goes by.
import { Problem, pages } from '../core/api.js';
import { h } from '../core/dom.js';
import { field } from '../core/field.js';

export function evaluationForm(signal) {
  const choice = () => h('select', {}, h('option', { value: '' }, 'None'));
  const clean = choice();
  const triggered = choice();
  const trusted = choice();
  const target = h('input', { type: 'number', min: 0, step: 1 });
  const element = h('details', { class: 'panel' }, h('summary', {}, 'Test images and trusted images (optional)'),
    h('p', { class: 'quiet' }, 'With test images of your own, accuracies before and after are reported. They are used ',
      'for nothing else. Upload them under “Models and data sets” first.'),
    h('div', { class: 'fields' }, field('Clean test images', clean, { location: '/evaluation/clean' }),
      field('Test images with the trigger', triggered, {
        hint: 'In folders of their true classes.', location: '/evaluation/triggered',
      }),
      field('Target class', target, {
        hint: 'The output that the trigger leads to, from 0.', location: '/evaluation/target_class',
      }),
      field('Trusted images', trusted, {
        hint: 'Not for measuring: twenty or more that you vouch for, in folders of their classes. A purified model '
          + 'learns from half of them, and is accepted by the other half.',
        location: '/options/trusted',
      })));
  return {
    element,
    async load() {
      const { value: items } = await pages('/v1/datasets', { signal }).next();
      for (const select of [clean, triggered, trusted]) {
        select.append(...items.filter(({ state }) => state !== 'rejected').map(({ id, name }) => (
          h('option', { value: id }, name))));
      }
    },
    trusted: () => trusted.value || null,
    value() {
      if (!clean.value && !triggered.value) return null;
      const wanted = {};
      if (clean.value) wanted.clean = clean.value;
      if (triggered.value) wanted.triggered = triggered.value;
      if (target.value !== '') {
        wanted.target_class = Number(target.value);
        if (!Number.isSafeInteger(wanted.target_class)) {
          throw new Problem({
            title: 'The target class is not valid', detail: 'It is a whole number from 0.',
            location: '/evaluation/target_class', fix: 'Correct it, or leave it empty.',
          }, 0);
        }
      }
      return wanted;
    },
  };
}
