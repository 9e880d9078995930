// Sets beside the training set: evaluation sets, only for measuring, and trusted images, which a purification goes by.
import { Problem, pages } from '../core/api.js';
import { h, newID } from '../core/dom.js';

export function evaluationForm(signal) {
  const ids = [newID('clean'), newID('triggered'), newID('target'), newID('trusted')];
  const choice = (id) => h('select', { id }, h('option', { value: '' }, 'None'));
  const clean = choice(ids[0]);
  const triggered = choice(ids[1]);
  const trusted = choice(ids[3]);
  const target = h('input', { id: ids[2], type: 'number', min: 0, step: 1 });
  const field = (id, label, input, hint) => h('div', { class: 'field' }, h('label', { for: id }, label), input,
    hint && h('p', { class: 'hint' }, hint));
  const element = h('details', { class: 'panel' }, h('summary', {}, 'Test images and trusted images (optional)'),
    h('p', { class: 'quiet' }, 'With test images of your own, accuracies before and after are reported. They are used ',
      'for nothing else. Upload them under “Models and data sets” first.'),
    h('div', { class: 'fields' }, field(ids[0], 'Clean test images', clean),
      field(ids[1], 'Test images with the trigger', triggered, 'In folders of their true classes.'),
      field(ids[2], 'Target class', target, 'The output that the trigger leads to, from 0.'),
      field(ids[3], 'Trusted images', trusted, 'Not for measuring: twenty or more that you vouch for, in folders of their '
        + 'classes. A purified model learns from half of them, and is accepted by the other half.')));
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
          throw new Problem({ title: 'The target class is not valid', detail: 'It is a whole number from 0.' }, 0);
        }
      }
      return wanted;
    },
  };
}
