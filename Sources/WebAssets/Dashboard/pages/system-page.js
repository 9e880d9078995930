// The service itself: room, queue, workers, devices, confinement, keys.
import { get, probe } from '../core/api.js';
import { address } from '../core/base.js';
import { fill, h, scrollable } from '../core/dom.js';
import { bytes, count, duration, percent, when, words } from '../core/format.js';
import { emptyView, missingView, problemView } from '../core/problem-view.js';
import { forgetKey, key } from '../core/session.js';
import { pause } from '../core/stream.js';
import { bar, slurmText } from './job-row.js';

export async function show(container, { signal }) {
  const place = h('div', { class: 'stack' });
  fill(container, h('div', { class: 'page-head' }, h('div', {}, h('h1', {}, 'System')),
    key() && h('button', { type: 'button', on: { click: () => { forgetKey(); location.reload(); } } }, 'Sign out')), place);
  await draw(place, signal);
  keepFresh(place, signal);
}

async function keepFresh(place, signal) {
  for (;;) {
    await pause(5000, signal);
    if (signal.aborted) return;
    if (document.hidden || place.contains(document.activeElement)) continue;
    try {
      await draw(place, signal);
    } catch (error) {
      if (!signal.aborted) fill(place, problemView(error));
    }
  }
}

async function draw(place, signal) {
  const [system, ready, version, keys] = await Promise.all([
    probe('/v1/system', { signal }), readiness(signal), get('/v1/version', { signal }), keyList(signal),
  ]);
  const state = system.value;
  fill(place, health(ready, version, state),
    state ? h('div', { class: 'columns' }, disk(state.disk), queue(state.queue), workers(state.workers), devices(state.devices),
      cluster(state.slurm))
      : missingView(system.missing, 'Disk, queue and workers are not reported by this service'),
    sandbox(state?.sandbox ?? ready.sandbox), keyPanel(keys));
}

/** A service that is not ready answers 503 with the same document. */
async function readiness(signal) {
  const response = await fetch(address('/readyz'), { signal });
  return response.json();
}

async function keyList(signal) {
  try {
    return await probe('/v1/keys', { signal });
  } catch (error) {
    if (error.status === 403) return { missing: error };
    throw error;
  }
}

function panel(title, ...content) {
  return h('section', { class: 'panel', 'aria-label': title }, h('h2', {}, title), content);
}

function pairs(entries) {
  return h('dl', { class: 'pairs' }, entries.filter(([, value]) => value !== undefined && value !== null)
    .map(([term, value]) => [h('dt', {}, term), h('dd', {}, value)]));
}

function health(ready, version, state) {
  const fine = ready.status === 'ok';
  return h('section', { class: `panel verdict ${fine ? 'clean' : 'suspicious'}`, 'aria-label': 'Health' },
    h('h2', { class: 'headline' }, fine ? 'The service takes work.' : 'The service takes no work now.'),
    h('dl', { class: 'facts' },
      Object.entries(ready.checks ?? {}).map(([name, text]) => h('div', { class: 'fact' }, h('dt', {}, words(name)), h('dd', {}, text))),
      h('div', { class: 'fact' }, h('dt', {}, 'Version'), h('dd', {}, version.version)),
      state?.uptime_seconds !== undefined && h('div', { class: 'fact' }, h('dt', {}, 'Running for'),
        h('dd', {}, duration(state.uptime_seconds)))));
}

/** Fields that are not known here are shown under their own names: an operator wants to see all. */
function generic(values, known = []) {
  return Object.entries(values ?? {}).filter(([name, value]) => !known.includes(name) && typeof value !== 'object')
    .map(([name, value]) => [words(name.replace(/_bytes$|_seconds$/, '')), typeof value !== 'number' ? String(value)
      : name.endsWith('_bytes') ? bytes(value) : name.endsWith('_seconds') ? duration(value) : count(value)]);
}

function disk(values) {
  if (!values) return null;
  const { free_bytes: free, total_bytes: total } = values;
  const used = Number.isFinite(total) && Number.isFinite(free) ? 1 - free / total : null;
  return panel('Disk', used !== null && h('p', {}, `${percent(used, 0)} used, ${bytes(free)} free of ${bytes(total)}`),
    used !== null && h('div', { class: 'job-table' }, h('div', { class: 'bar', 'aria-hidden': 'true' }, bar(used))),
    pairs(generic(values, used !== null ? ['free_bytes', 'total_bytes'] : [])));
}

function queue(values) {
  if (!values) return null;
  const named = (counts, what) => generic(counts ?? {}).map(([name, value]) => [`${what} ${name.toLowerCase()}`, value]);
  return panel('Queue', pairs([...named(values.jobs, 'Jobs'), ...generic(values), ...named(values.uploads, 'Uploads')]));
}

function workers(list) {
  if (!list) return null;
  return panel('Workers', list.length === 0 ? emptyView('No worker runs') : h('ul', { class: 'stack' }, list.map((worker) => h('li', {},
    worker.job ? h('a', { href: `#/jobs/${worker.job}/progress` }, worker.job) : h('span', {}, 'An import'),
    h('div', { class: 'quiet small' }, worker.phase ? words(worker.phase) : 'Starting', worker.since ? ` · since ${when(worker.since)}` : '',
      worker.slurm ? ` · ${slurmText(worker.slurm)}` : '')))));
}

/** The nodes that jobs run on, where they are a cluster's. */
function cluster(values) {
  if (!values) return null;
  return panel('Slurm', values.problem && h('p', { class: 'note warn' }, `${values.problem.title}. ${values.problem.detail} ${values.problem.fix ?? ''}`),
    pairs([['Tasks that run', count(values.running)], ['Tasks that wait there', count(values.pending)],
      ...values.nodes.map((nodes) => [`Nodes of ${nodes.partition}, ${nodes.state}`, count(nodes.count)]),
      values.nodes_at && ['Nodes read', when(values.nodes_at)]].filter(Boolean)));
}

function devices(list) {
  if (!list) return null;
  const text = (device) => (typeof device === 'string' ? device : Object.entries(device)
    .map(([name, value]) => (name === 'name' ? value : `${words(name).toLowerCase()}: ${
      name.endsWith('_bytes') ? bytes(value) : value}`)).join(', '));
  return panel('Devices', list.length === 0 ? emptyView('None reported') : h('ul', { class: 'statements' },
    list.map((device) => h('li', {}, text(device)))));
}

function sandbox(values) {
  if (!values) return null;
  return panel('Confinement of workers', pairs([
    ['Mode', values.mode], ['File access rules (Landlock)', values.landlock ? `version ${values.landlock}` : 'none'],
    ['System calls filtered', values.seccomp ? 'yes' : 'no'], ['Memory held by', values.memory],
    ['Missing on this machine', values.missing?.length ? values.missing.join('; ') : 'nothing']]));
}

function keyPanel({ value, missing }) {
  if (!value) return panel('API keys', h('p', { class: 'quiet' }, missing.status === 403 ? 'Only a key of scope admin may see them.' : missing.detail));
  const items = value.items ?? value;
  return panel('API keys', items.length === 0 ? emptyView('No keys', h('p', {}, 'Everyone who reaches this service may use it. ',
    h('code', {}, 'burnd keys create NAME'), ' makes the first one.')) : scrollable('Table of keys',
    h('table', { class: 'cards' },
    h('thead', {}, h('tr', {}, ['Name', 'Scope', 'State', 'Made'].map((text) => h('th', { scope: 'col' }, text)))),
    h('tbody', {}, items.map((entry) => h('tr', {},
      h('td', { 'data-label': 'Name' }, h('div', {}, entry.name, h('div', { class: 'mono small quiet' }, entry.id))),
      h('td', { 'data-label': 'Scope' }, entry.scope),
      h('td', { 'data-label': 'State' }, entry.state, entry.state === 'usable' && entry.expires_at
        ? ` until ${when(entry.expires_at)}` : ''),
      h('td', { 'data-label': 'Made' }, when(entry.created_at))))))));
}
