// Models and data sets: what is there, and how to add to it.
import { pages, submit } from '../core/api.js';
import { confirm } from '../core/confirm.js';
import { fill, h } from '../core/dom.js';
import { age, bytes, count, when } from '../core/format.js';
import { emptyView, problemView } from '../core/problem-view.js';
import { inputField } from '../start/input-field.js';
import { badge } from './job-row.js';

const most = 1000;

export async function show(container, { signal }) {
  const messages = h('div');
  const lists = { models: h('div'), datasets: h('div') };
  const load = async (kind) => {
    const { value: items } = await pages(`/v1/${kind}`, { signal, limit: most }).next();
    fill(lists[kind], listing(kind, items, async (record) => {
      if (!await confirm(`Remove ${record.name}?`, 'Jobs that used it keep their results.', 'Remove it', 'Keep it')) return;
      try {
        fill(messages);
        await submit('DELETE', `/v1/${kind}/${record.id}`);
        await load(kind);
      } catch (error) {
        fill(messages, problemView(error));
      }
    }));
  };
  const add = (kind, title, accept, hint) => {
    const field = inputField(kind, { title, accept, hint, signal, listed: false, onReady: () => load(kind) });
    return field.element;
  };
  fill(container,
    h('div', { class: 'page-head' }, h('div', {}, h('h1', {}, 'Models and data sets'),
      h('p', { class: 'quiet' }, 'Everything that was uploaded, with its hash and the jobs it was used in.'))),
    messages,
    section('Models', lists.models), section('Data sets', lists.datasets),
    h('div', { class: 'columns' },
      add('models', 'Add a model', '.pt2,.onnx,.safetensors,.pth,.pt', '.pt2 of torch.export, ONNX, or weights with their architecture.'),
      add('datasets', 'Add a data set', '.tar,.gz,.xz,.zst,.zip,.npz,.tgz,.safetensors',
        'Training data, or test images for measuring.')));
  await Promise.all([load('models'), load('datasets')]);
}

function section(title, body) {
  return h('section', { class: 'panel', 'aria-label': title }, h('h2', {}, title), body);
}

function listing(kind, items, remove) {
  if (items.length === 0) {
    return emptyView(kind === 'models' ? 'No models yet' : 'No data sets yet', h('p', {}, 'Add one below.'));
  }
  const cell = (label, ...content) => h('td', { 'data-label': label }, h('div', {}, content));
  return h('table', { class: 'cards' },
    h('thead', {}, h('tr', {}, ['Name', 'State', 'Content', 'Size', 'Added', ''].map((text) => (
      h('th', { scope: 'col' }, text || h('span', { class: 'hidden-text' }, 'Remove')))))),
    h('tbody', {}, items.map((record) => h('tr', {},
      cell('Name', h('a', { href: `#/${kind}/${record.id}` }, record.name),
        h('div', { class: 'mono small quiet' }, record.sha256.slice(0, 16), '…')),
      cell('State', badge(record.state), record.problem && h('div', { class: 'small' }, record.problem.title)),
      cell('Content', content(kind, record.summary)), cell('Size', bytes(record.bytes)),
      cell('Added', h('span', { title: when(record.created_at) }, age(record.created_at))),
      cell('', h('button', {
        type: 'button', class: 'quiet-button', 'aria-label': `Remove ${record.name}`, on: { click: () => remove(record) },
      }, 'Remove'))))));
}

function content(kind, summary) {
  if (!summary) return '–';
  return kind === 'models'
    ? `${summary.format}, ${count(summary.parameters)} parameters, ${count(summary.classes)} classes`
    : `${count(summary.samples)} images of ${summary.width} × ${summary.height}, ${count(summary.classes.length)} classes`;
}
