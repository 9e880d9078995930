// One job in the list.
import { h } from '../core/dom.js';
import { age, bytes, duration, percent, when, words } from '../core/format.js';
import { inputName } from '../core/records.js';

export const badge = (name, text = name) => h('span', { class: `badge ${name}` }, words(text));

export function searchText(job, names) {
  return [job.id, names.model, names.dataset].join(' ').toLowerCase();
}

/** The row, the job's names, and a text that changes when the row has to be drawn anew. */
export async function jobRow(job) {
  const [model, dataset] = await Promise.all([inputName('models', job.model), inputName('datasets', job.dataset)]);
  const names = { model, dataset };
  const created = age(job.created_at);
  const version = JSON.stringify([job.state, job.phase, job.progress, job.verdict?.result, job.paused, job.slurm, created]);
  const cell = (label, ...content) => h('td', { 'data-label': label }, h('div', {}, content));
  const element = h('tr', { 'data-id': job.id, 'data-version': version },
    cell('Job', h('a', { href: `#/jobs/${job.id}` }, `${words(job.type)} of ${model}`),
      h('div', { class: 'quiet small mono' }, job.id)),
    cell('Inputs', h('a', { href: `#/models/${job.model}` }, model), h('br'),
      h('a', { href: `#/datasets/${job.dataset}` }, dataset)),
    cell('State', badge(job.state), progress(job)),
    cell('Verdict', verdict(job)),
    cell('Age', h('span', { title: when(job.created_at) }, created)));
  return { job, names, element, version };
}

function progress(job) {
  if (job.paused) return h('div', { class: 'small quiet' }, `Waits: ${words(job.paused).toLowerCase()}`);
  if (job.error) return h('div', { class: 'small quiet' }, job.error.title);
  if (!['running', 'cancelling'].includes(job.state)) return null;
  if (job.slurm?.state === 'pending') return h('div', { class: 'small quiet' }, slurmText(job.slurm));
  const { fraction, eta_seconds: left } = job.progress;
  return [
    h('div', {
      class: 'bar', role: 'progressbar', 'aria-label': 'Progress', 'aria-valuemin': 0, 'aria-valuemax': 100,
      'aria-valuenow': Math.round(fraction * 100),
    }, bar(fraction)),
    h('div', { class: 'small quiet' }, percent(fraction, 0), job.phase ? ` · ${words(job.phase)}` : '',
      left !== null ? ` · ${duration(left)} left in this phase` : '')];
}

/** Where a task is on the cluster. */
export function slurmText({ job, state, reason, position, node, request }) {
  const asked = request ? `, ${bytes(request.memory_bytes)} for ${duration(60 * request.minutes)}` : '';
  if (state !== 'pending') return `Slurm job ${job}${node ? ` on ${node}` : ''}${asked}`;
  const place = position ? `, number ${position} in its partition` : '';
  return `Waits as Slurm job ${job}${reason ? `: ${reason}` : ''}${place}${asked}`;
}

export function bar(fraction) {
  const inner = h('span');
  inner.style.width = `${(Math.min(Math.max(fraction, 0), 1) * 100).toFixed(1)}%`;
  return inner;
}

function verdict({ verdict: found, state }) {
  if (!found) return h('span', { class: 'quiet' }, state === 'failed' ? 'None' : 'Not yet');
  const classes = new Map(found.evidence.classes.map(({ label, name }) => [label, name]));
  const targets = found.target_classes.slice(0, 3).map((label) => classes.get(label) ?? `class ${label}`);
  return [badge(found.result), targets.length > 0 && h('div', { class: 'small quiet' },
    `into ${targets.join(', ')}${found.target_classes.length > 3 ? ' …' : ''}`)];
}
