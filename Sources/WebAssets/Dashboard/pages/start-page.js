// A new job: what to do, model, data set, how the model sees pixels, and optionally a measurement.
import { submit } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { clearProblems, showBeside } from '../core/field.js';
import { problemView } from '../core/problem-view.js';
import { go } from '../core/router.js';
import { uniqueKey } from '../core/digest.js';
import { inputField } from '../start/input-field.js';
import { optionsForm } from '../start/options-form.js';
import { evaluationForm } from '../start/evaluation-form.js';

export async function show(container, { query, signal }) {
  const reviews = query.get('reviews');
  const type = reviews ? 'purify' : query.get('type') ?? 'scan';
  const messages = h('div');
  const model = inputField('models', {
    title: 'Model', accept: '.pt2,.onnx,.safetensors,.pth,.pt', chosen: query.get('model'), signal,
    hint: '.pt2 of torch.export or ONNX; weights alone (.safetensors, .pth) with their architecture.',
  });
  const dataset = inputField('datasets', {
    title: 'Training data', accept: '.tar,.gz,.xz,.zst,.zip,.npz,.tgz,.safetensors', chosen: query.get('dataset'), signal,
    hint: 'The data the model was trained on: an archive with one folder of PNG or JPEG images a class, .npz, CIFAR, …',
  });
  const options = optionsForm(signal);
  const evaluation = evaluationForm(signal);
  const start = h('button', { type: 'submit', class: 'primary' }, 'Start the job');
  const kinds = h('fieldset', {}, h('legend', {}, 'What should be done?'), h('div', { class: 'choices' },
    kind('scan', type, 'Scan', 'Says whether the model carries a backdoor, and which samples planted it.'),
    kind('purify', type, 'Purify', 'Scans, and gives the model back without the backdoor, with corrected labels.')));
  // The same submission, sent again after an interrupted answer, makes one job.
  let key = { body: null, value: null };
  const form = h('form', {
    class: 'stack', novalidate: true, on: {
      submit: async (event) => {
        event.preventDefault();
        start.disabled = true;
        fill(messages);
        clearProblems(form);
        try {
          const request = {
            type: new FormData(form).get('type'), model: model.id(), dataset: dataset.id(), options: options.value(),
            priority: options.priority(), ...(reviews ? { reviews_of: reviews } : {}),
          };
          const measured = evaluation.value();
          if (measured) request.evaluation = measured;
          if (options.webhook()) request.webhook = options.webhook();
          if (evaluation.trusted()) request.options.trusted = evaluation.trusted();
          const body = JSON.stringify(request);
          if (key.body !== body) key = { body, value: uniqueKey() };
          const job = await submit('POST', '/v1/jobs', request, { headers: { 'Idempotency-Key': key.value } });
          go(`/jobs/${job.id}/progress`);
        } catch (error) {
          if (showBeside(form, error)) return;
          fill(messages, problemView(error));
          messages.scrollIntoView({ block: 'nearest' });
        } finally {
          start.disabled = false;
        }
      },
    },
  },
  reviews && h('div', { class: 'note' }, 'This purification follows the reviews by hand of job ',
    h('a', { href: `#/jobs/${reviews}/samples` }, reviews), ': accepted samples count as poisoned, rejected ones as ',
    'clean, relabelled ones get the label you gave.'),
  kinds,
  h('div', { class: 'columns' }, model.element, dataset.element),
  options.element, evaluation.element, messages,
  h('div', { class: 'actions' }, start, h('a', { class: 'button', href: '#/jobs' }, 'Back to the jobs')));
  fill(container, h('div', { class: 'page-head' }, h('div', {}, h('h1', {}, 'Start a job'),
    h('p', { class: 'quiet' }, 'Uploads stay on this service. Nothing in them is executed.'))), form);
  await Promise.all([model.load(), dataset.load(), evaluation.load(), options.load()]);
}

function kind(value, chosen, name, text) {
  return h('label', { class: 'check' },
    h('input', { type: 'radio', name: 'type', value, checked: value === chosen }),
    h('span', {}, h('strong', {}, name), h('span', { class: 'quiet' }, text)));
}
