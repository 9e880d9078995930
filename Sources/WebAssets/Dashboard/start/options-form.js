// The options of a job. What is left alone takes the service's default.
import { Problem, get } from '../core/api.js';
import { h, newID } from '../core/dom.js';
import { field } from '../core/field.js';

const presets = [
  ['', 'Pixels from 0 to 1, as they are'], ['imagenet', 'ImageNet mean and deviation'], ['cifar10', 'CIFAR-10'],
  ['cifar100', 'CIFAR-100'], ['half', 'Mean 0.5, deviation 0.5'], ['mnist', 'MNIST'], ['own', 'Own mean and deviation'],
];

export function optionsForm(signal) {
  const preset = h('select', { name: 'preset' }, presets.map(([value, text]) => h('option', { value }, text)));
  const mean = h('input', { name: 'mean', placeholder: '0.49, 0.48, 0.45', inputmode: 'decimal' });
  const std = h('input', { name: 'std', placeholder: '0.25, 0.24, 0.26', inputmode: 'decimal' });
  const own = h('div', { class: 'fields', hidden: true }, field('Mean of each channel', mean, { location: '/options/input/mean' }),
    field('Standard deviation of each channel', std, { location: '/options/input/std' }));
  const method = h('select', { name: 'method' }, h('option', { value: 'full' }, 'Full: all evidence, all treatments'),
    h('option', { value: 'published' }, 'Published: BURN as its paper has it'));
  const distance = h('select', { name: 'distance' }, h('option', { value: 'newton' }, 'Newton steps (fast)'),
    h('option', { value: 'ddn' }, 'DDN, 40 steps (slower, tighter)'));
  const analysis = h('select', { name: 'analysis' }, h('option', { value: 'suspects' }, 'Where something is suspected'),
    h('option', { value: 'full' }, 'Of all samples (slower)'));
  const precision = h('select', { name: 'precision' }, h('option', { value: 'auto' }, 'As fast as the model allows'),
    h('option', { value: 'full' }, 'Full, the same on every processor (slower)'));
  const number = (name, value, min, max) => h('input', { name, type: 'number', value, min, max, step: 1 });
  const rounds = number('rounds', '3', 0, 20);
  const seed = number('seed', '0', 0);
  const threads = number('threads', '', 1, 1024);
  const priority = number('priority', '0', -10, 10);
  const webhook = h('input', { name: 'webhook', type: 'url', autocomplete: 'off', spellcheck: 'false' });
  const told = field('Webhook', webhook, {
    hint: 'An address that is told of the job’s end.', location: '/webhook',
  });
  const force = h('input', { type: 'checkbox', name: 'force' });
  const accept = h('input', { type: 'checkbox', name: 'accept_disagreement' });
  preset.addEventListener('change', () => { own.hidden = preset.value !== 'own'; });

  const title = newID('title');
  const element = h('section', { class: 'panel', 'aria-labelledby': title }, h('h2', { id: title }, 'Options'),
    h('div', { class: 'fields' }, field('How the model sees pixels', preset, {
      hint: 'As in the training: wrong normalisation makes every prediction meaningless.', location: '/options/input',
    })), own,
    h('details', {}, h('summary', {}, 'More options'), h('div', { class: 'fields' },
      field('Method', method, {
        hint: 'The published method finds less; it is there to compare with.', location: '/options/method',
      }),
      field('Boundary distance', distance, { location: '/options/distance' }),
      field('Distances and adversarial labels', analysis, { hint: 'Of sets beyond a thousand samples of a class, full also surveys all of them.', location: '/options/analysis' }),
      field('Precision', precision, { location: '/options/precision' }),
      field('Refinement rounds, at most', rounds, { location: '/options/rounds' }),
      field('Seed', seed, { hint: 'The same inputs, options and seed give the same result on processors of one kind.', location: '/options/seed' }),
      field('Threads', threads, { hint: 'Empty: all processors.', location: '/options/threads' }),
      field('Priority', priority, {
        hint: 'From −10 to 10; higher ones of your jobs run first.', location: '/priority',
      }), told),
    h('label', { class: 'check' }, force, h('span', {}, h('strong', {}, 'Purify on suspicion'),
      h('span', { class: 'quiet' }, 'Also where the verdict is only “suspicious”.'))),
    h('label', { class: 'check' }, accept, h('span', {}, h('strong', {}, 'Accept that predictions and labels disagree'),
      h('span', { class: 'quiet' }, 'Go on where the classes seem to be in another order than the model’s outputs.')))));

  return {
    element,
    /** What the service says of webhooks. */
    async load() {
      const { webhook_hosts: allowed } = await get('/v1/system', { signal });
      told.querySelector('.hint').textContent = allowed.length > 0
        ? `An address that is told of the job’s end. Hosts that may be: ${allowed.join(', ')}.`
        : 'This service sends none: no hosts are configured (webhooks.hosts). Follow the job on its page.';
      if (allowed.length > 0) webhook.placeholder = `${allowed[0].includes('://') ? '' : 'https://'}${allowed[0]}/…`;
    },
    webhook: () => webhook.value.trim(),
    priority: () => whole(priority, 'Priority', '/priority', 0),
    value() {
      const options = { method: method.value, distance: distance.value, analysis: analysis.value, precision: precision.value,
        rounds: whole(rounds, 'Refinement rounds', '/options/rounds', 3),
        seed: whole(seed, 'Seed', '/options/seed', 0), force: force.checked };
      if (accept.checked) options.accept_disagreement = true;
      if (threads.value) options.threads = whole(threads, 'Threads', '/options/threads');
      if (preset.value === 'own') {
        options.input = {
          mean: numbers(mean, 'Mean', '/options/input/mean'), std: numbers(std, 'Standard deviation', '/options/input/std'),
        };
      } else if (preset.value) options.input = { preset: preset.value };
      return options;
    },
  };
}

function whole(input, name, location, fallback) {
  if (input.value === '' && fallback !== undefined && input.validity.valid) return fallback;
  const value = Number(input.value);
  if (Number.isSafeInteger(value) && input.validity.valid) return value;
  const { min, max } = input;
  throw new Problem({
    title: `${name} is not valid`, detail: `It is a whole number${min ? ` from ${min}` : ''}${max ? ` to ${max}` : ''}.`,
    location, fix: 'Correct it.',
  }, 0);
}

function numbers(input, name, location) {
  const values = input.value.split(/[\s,;]+/).filter(Boolean).map(Number);
  if (values.length > 0 && values.every(Number.isFinite)) return values;
  throw new Problem({
    title: `${name} is not valid`, detail: 'It is one number a channel, such as 0.49, 0.48, 0.45.', location,
    fix: 'Correct it, or choose another way the model sees pixels.',
  }, 0);
}
