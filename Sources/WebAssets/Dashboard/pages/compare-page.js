// Jobs beside each other: what differs stands out.
import { pages, probe } from '../core/api.js';
import { fill, h, scrollable } from '../core/dom.js';
import { count, duration, percent, when, words } from '../core/format.js';
import { emptyView } from '../core/problem-view.js';
import { classNames, inputName } from '../core/records.js';
import { missed } from '../job/verdict-words.js';
import { setQuery } from '../core/router.js';
import { badge } from './job-row.js';

const most = 5;

export async function show(container, { query, signal }) {
  let chosen = (query.get('jobs') ?? '').split(',').filter((id) => /^[A-Za-z0-9_-]{1,128}$/.test(id)).slice(0, most);
  const place = h('div');
  const select = h('select', { id: 'compare-add' }, h('option', { value: '' }, 'Choose a job'));
  const draw = async () => {
    setQuery({ jobs: chosen.join(',') });
    const answers = await Promise.all(chosen.map((id) => probe(`/v1/jobs/${id}`, { signal })));
    const jobs = answers.map(({ value }) => value).filter(Boolean);
    if (jobs.length === 0) {
      fill(place, emptyView('No jobs are chosen', h('p', {}, `Choose up to ${most} jobs to see them beside each other.`)));
      return;
    }
    fill(place, await comparison(jobs, (id) => { chosen = chosen.filter((other) => other !== id); draw(); }));
  };
  select.addEventListener('change', () => {
    if (select.value && !chosen.includes(select.value)) chosen = [...chosen, select.value].slice(-most);
    select.value = '';
    draw();
  });
  fill(container, h('div', { class: 'page-head' }, h('div', {}, h('h1', {}, 'Compare jobs'),
    h('p', { class: 'quiet' }, 'Rows in which the jobs differ are marked.'))),
  h('div', { class: 'tool-bar' }, h('div', { class: 'field grow' }, h('label', { for: 'compare-add' }, 'Add a job'), select)),
  place);
  const { value: items } = await pages('/v1/jobs', { signal, limit: 200 }).next();
  select.append(...await Promise.all(items.map(async (job) => h('option', { value: job.id },
    `${words(job.type)} of ${await inputName('models', job.model)}, ${when(job.created_at)}, ${job.verdict?.result ?? job.state}`))));
  await draw();
}

function pixels({ range, mean, std }) {
  const list = (values) => values.map((value) => Number(value.toFixed(4))).join(', ');
  const parts = [`from ${range[0]} to ${range[1]}`];
  if (mean.length) parts.push(`mean ${list(mean)}`);
  if (std.length) parts.push(`deviation ${list(std)}`);
  return parts.join('; ');
}

async function comparison(jobs, remove) {
  const names = await Promise.all(jobs.map(async (job) => ({
    model: await inputName('models', job.model), dataset: await inputName('datasets', job.dataset), name: await classNames(job) })));
  const seconds = (job) => job.phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const value = (job, side, measure) => percent(job.metrics[side]?.[measure]);
  const rows = [
    ['Type', (job) => words(job.type)], ['State', (job) => job.state, (job) => badge(job.state)],
    ['Verdict', (job) => job.verdict?.result ?? '–', (job) => (job.verdict ? badge(job.verdict.result) : '–')],
    ['Confidence', (job) => (job.verdict?.confidence > 0.999 ? 'over 99.9 %' : percent(job.verdict?.confidence))],
    ['Target classes', (job, { name }) => job.verdict?.target_classes.map(name).join(', ') || '–'],
    ['Poisoned samples', (job) => count(job.verdict?.poisoned_samples)],
    ['Poison rate', (job) => percent(job.verdict?.poison_rate)],
    ['Could have been missed', (job) => (job.verdict && missed(job.verdict)) ?? '–'],
    ['Clean accuracy before', (job) => value(job, 'before', 'acc')], ['Clean accuracy after', (job) => value(job, 'after', 'acc')],
    ['Attack success before', (job) => value(job, 'before', 'asr')], ['Attack success after', (job) => value(job, 'after', 'asr')],
    ['Robust accuracy before', (job) => value(job, 'before', 'ra')], ['Robust accuracy after', (job) => value(job, 'after', 'ra')],
    ['Model changed', (job) => ({ true: 'yes', false: 'no' }[job.model_changed] ?? '–')],
    ['Model', (_, { model }) => model], ['Data set', (_, { dataset }) => dataset],
    ['Method', (job) => job.options.method ?? 'full'],
    ['Boundary distance', (job) => job.options.distance], ['Precision', (job) => job.options.precision ?? 'full'],
    ['Rounds', (job) => count(job.options.rounds)],
    ['Seed', (job) => String(job.options.seed)],
    ['Pixels', (job) => pixels(job.options.input)],
    ['Computing time', (job) => duration(seconds(job)), null, true], ['Started', (job) => when(job.created_at), null, true],
  ];
  return h('section', { class: 'panel', 'aria-label': 'Comparison' },
    scrollable('Comparison of jobs', h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Job'), jobs.map((job, index) => h('th', { scope: 'col' },
        h('a', { href: `#/jobs/${job.id}` }, `${words(job.type)} of ${names[index].model}`),
        h('div', { class: 'mono small' }, job.id),
        h('button', { type: 'button', class: 'quiet-button', 'aria-label': `Take ${job.id} out`,
          on: { click: () => remove(job.id) } }, 'Take out'))))),
      h('tbody', {}, rows.map(([title, text, shown, expected]) => {
        const texts = jobs.map((job, index) => text(job, names[index]));
        const differs = jobs.length > 1 && !expected && new Set(texts).size > 1;
        return h('tr', { class: differs ? 'differs' : '' },
          h('th', { scope: 'row' }, title, differs && h('span', { class: 'quiet small' }, ' (differs)')),
          jobs.map((job, index) => h('td', {}, shown ? shown(job) : texts[index])));
      })))));
}
