// Every job: state, verdict, progress, age; filters; the way to a new one.
import { get } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { emptyView, problemView } from '../core/problem-view.js';
import { setQuery } from '../core/router.js';
import { pause } from '../core/stream.js';
import { plural } from '../core/format.js';
import { jobRow, searchText } from './job-row.js';

const states = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'];
const results = ['backdoored', 'suspicious', 'undetermined', 'clean'];
const pageSize = 100;

export async function show(container, { query, signal }) {
  const filter = {
    state: query.get('state') ?? '', type: query.get('type') ?? '', result: query.get('result') ?? '',
    text: query.get('text') ?? '',
  };
  const body = h('tbody');
  const status = h('p', { class: 'quiet small', role: 'status' });
  const notice = h('div');
  const more = h('button', { type: 'button', hidden: true }, 'Show older jobs');
  const table = h('table', { class: 'job-table cards' },
    h('caption', { class: 'hidden-text' }, 'Jobs, newest first'),
    h('thead', {}, h('tr', {}, ['Job', 'Model and data set', 'State', 'Verdict', 'Age'].map((text) => (
      h('th', { scope: 'col' }, text))))), body);
  let limit = pageSize;
  let wake = () => {};
  const refresh = () => wake();
  const set = (name, value) => {
    filter[name] = value;
    setQuery({ [name]: value });
    refresh();
  };
  more.addEventListener('click', () => { limit += pageSize; refresh(); });

  fill(container,
    h('div', { class: 'page-head' },
      h('div', {}, h('h1', {}, 'Jobs'),
        h('p', { class: 'quiet' }, 'Each job examines one model together with the data it was trained on.')),
      h('a', { class: 'button primary', href: '#/start' }, 'Start a job')),
    filters(filter, set), notice,
    h('section', { class: 'panel', 'aria-label': 'Jobs' }, table, status, more));

  const load = async () => {
    const parameters = new URLSearchParams();
    if (filter.state) parameters.set('state', filter.state);
    if (filter.type) parameters.set('type', filter.type);
    const { items, next } = await newest(parameters, limit, signal);
    const rows = await Promise.all(items.map((job) => jobRow(job)));
    const shown = rows.filter(({ job, names }) => (
      (!filter.result || job.verdict?.result === filter.result)
        && (!filter.text || searchText(job, names).includes(filter.text.toLowerCase()))));
    update(body, shown);
    table.hidden = shown.length === 0;
    more.hidden = !next;
    const empty = shown.length > 0 ? null : items.length === 0 && !filter.state && !filter.type
      ? emptyView('No jobs yet', h('p', {},
        'Start one with a model and the data set it was trained on. ', h('a', { href: '#/start' }, 'Start a job')))
      : emptyView('No job matches the filter');
    fill(notice, empty);
    status.textContent = shown.length ? `${plural(shown.length, 'job')}${next ? ', older ones exist' : ''}` : '';
    return items.some(({ state }) => ['queued', 'running', 'cancelling'].includes(state));
  };
  const active = await load();
  keepFresh(load, active, signal, notice, (call) => { wake = call; });
}

async function newest(parameters, wanted, signal) {
  const items = [];
  let cursor = null;
  do {
    parameters.set('limit', String(Math.min(pageSize, wanted - items.length)));
    if (cursor) parameters.set('cursor', cursor);
    const page = await get(`/v1/jobs?${parameters}`, { signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < wanted);
  return { items, next: cursor };
}

/** Looks again every few seconds while something runs and the page is in view, and when the filter changes. */
async function keepFresh(load, active, signal, notice, onWake) {
  let busy = active;
  while (!signal.aborted) {
    await new Promise((resolve) => {
      onWake(resolve);
      pause(busy ? 2000 : 10_000, signal).then(resolve);
    });
    if (signal.aborted || document.hidden) continue;
    try {
      busy = await load();
    } catch (error) {
      if (signal.aborted) return;
      fill(notice, problemView(error));
    }
  }
}

/** Replaces only the rows that changed, so that the keyboard's place is kept. */
function update(body, rows) {
  const old = new Map([...body.children].map((row) => [row.dataset.id, row]));
  const wanted = rows.map(({ job, element, version }) => {
    const there = old.get(job.id);
    return there?.dataset.version === version ? there : element;
  });
  for (const [index, row] of wanted.entries()) {
    const there = body.children[index];
    if (there === row) continue;
    if (there && there.dataset.id === row.dataset.id) {
      const focused = there.contains(document.activeElement);
      there.replaceWith(row);
      if (focused) row.querySelector('a')?.focus();
    } else body.insertBefore(row, there ?? null);
  }
  while (body.children.length > wanted.length) body.lastElementChild.remove();
}

function filters(filter, set) {
  const choice = (name, label, values) => {
    const id = `filter-${name}`;
    return h('div', { class: 'field' }, h('label', { for: id }, label),
      h('select', { id, on: { change: (event) => set(name, event.target.value) } },
        h('option', { value: '' }, 'All'),
        values.map((value) => h('option', { value, selected: filter[name] === value }, value))));
  };
  let timer;
  return h('form', { class: 'tool-bar', role: 'search', on: { submit: (event) => event.preventDefault() } },
    h('div', { class: 'field grow' }, h('label', { for: 'filter-text' }, 'Find'),
      h('input', {
        id: 'filter-text', type: 'search', value: filter.text, placeholder: 'Model, data set or job id', on: {
          input: (event) => { clearTimeout(timer); timer = setTimeout(() => set('text', event.target.value), 200); },
        } })),
    choice('state', 'State', states), choice('type', 'Type', ['scan', 'purify']),
    choice('result', 'Verdict', results));
}

