// One model or data set: what it is, where it came from, what became of it.
import { get, pages } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { bytes, count, when, words } from '../core/format.js';
import { emptyView, problemView } from '../core/problem-view.js';
import { downloadButton } from '../core/download.js';
import { badge } from './job-row.js';

export async function show(container, { params, path, signal }) {
  const kind = path.split('/')[1];
  const record = await get(`/v1/${kind}/${params.id}`, { signal });
  const jobs = record.jobs ?? await jobsOf(kind, record.id, signal);
  fill(container,
    h('div', { class: 'page-head' },
      h('div', {}, h('h1', {}, record.name), h('p', { class: 'quiet' }, badge(record.state), ' ',
        kind === 'models' ? 'Model' : 'Data set', ` · added ${when(record.created_at)} · `, h('span', { class: 'mono' }, record.id))),
      h('div', { class: 'actions' },
        record.state === 'ready' && h('a', { class: 'button primary',
          href: `#/start?${kind === 'models' ? 'model' : 'dataset'}=${record.id}` }, 'Start a job with it'),
        kind === 'models' && downloadButton('Download', `/v1/models/${record.id}/content`, record.name))),
    record.problem && problemView(record.problem),
    h('div', { class: 'columns' }, facts(kind, record), lineage(kind, record, jobs)),
    kind === 'datasets' && record.summary?.reading && reading(record.summary.reading),
    await jobList(jobs), record.summary && (kind === 'models' ? operators(record.summary) : classes(record.summary)));
}

/** Where the service does not list them itself. */
async function jobsOf(kind, id, signal) {
  const { value: items } = await pages('/v1/jobs', { signal, limit: 1000 }).next();
  return items.filter((job) => job[kind === 'models' ? 'model' : 'dataset'] === id)
    .map(({ id: job, type, state, verdict }) => ({ id: job, type, state, verdict: verdict?.result ?? null }));
}

function facts(kind, record) {
  const { summary } = record;
  const pairs = [['SHA-256', h('span', { class: 'mono small' }, record.sha256)], ['Size', bytes(record.bytes)]];
  if (summary && kind === 'models') {
    pairs.push(['Format', summary.format], ['Input', `${summary.input_shape.map((side, axis) => side ?? (axis ? 'any' : 'N')).join(' × ')}, ${summary.input_type}`],
      ['Classes', count(summary.classes)], ['Parameters', count(summary.parameters)]);
    if (record.weights) pairs.push(['Copy of the weights', record.weights]);
    if (record.architecture) pairs.push(['Architecture', record.architecture]);
    if (record.skeleton) pairs.push(['Graph of', h('a', { href: `#/models/${record.skeleton}` }, record.skeleton)]);
  } else if (summary) {
    pairs.push(['Format', summary.format], ['Images', count(summary.samples)],
      ['Size of an image', `${summary.width} × ${summary.height}, ${summary.channels} channels`],
      ['Classes', count(summary.classes.length)], ['Passed over', `${count(summary.skipped_total)} entries`]);
  }
  return h('section', { class: 'panel', 'aria-label': 'What it is' }, h('h2', {}, 'What it is'),
    h('dl', { class: 'pairs' }, pairs.map(([term, value]) => [h('dt', {}, term), h('dd', {}, value)])));
}

function lineage(kind, record, jobs) {
  const purified = record.purified ?? [];
  const step = (...content) => h('li', {}, content);
  return h('section', { class: 'panel', 'aria-label': 'Lineage' }, h('h2', {}, 'Lineage'),
    h('ol', { class: 'statements' },
      step(`Uploaded ${when(record.created_at)} with SHA-256 `, h('span', { class: 'mono small' }, `${record.sha256.slice(0, 16)}…`)),
      step(jobs.length ? `Used in ${count(jobs.length)} ${jobs.length === 1 ? 'job' : 'jobs'}` : 'Not used in a job yet'),
      kind === 'models' && purified.map(({ job, sha256 }) => step('Purified by ',
        h('a', { href: `#/jobs/${job}/outcome` }, job), ', giving SHA-256 ',
        h('span', { class: 'mono small' }, sha256))),
      kind === 'models' && purified.length === 0 && step('No purified version')));
}

async function jobList(jobs) {
  return h('section', { class: 'panel', 'aria-label': 'Jobs' }, h('h2', {}, 'Jobs'),
    jobs.length === 0 ? emptyView('Not used in a job yet') : h('table', { class: 'cards' },
      h('thead', {}, h('tr', {}, ['Job', 'State', 'Verdict'].map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, jobs.map((job) => h('tr', {},
        h('td', { 'data-label': 'Job' }, h('a', { href: `#/jobs/${job.id}` }, `${words(job.type)} ${job.id}`)),
        h('td', { 'data-label': 'State' }, badge(job.state)),
        h('td', { 'data-label': 'Verdict' }, job.verdict ? badge(job.verdict.result ?? job.verdict) : '–'))))));
}

function operators(summary) {
  return h('details', { class: 'panel' }, h('summary', {}, 'Operators of the graph'), h('dl', { class: 'pairs' },
    Object.entries(summary.operators).sort((a, b) => b[1] - a[1]).map(([name, nodes]) => [
      h('dt', { class: 'mono' }, name), h('dd', {}, count(nodes))])));
}

/** How the upload was read: what was decided, converted and ignored. */
function reading(found) {
  const images = (number) => `${count(number)} ${number === 1 ? 'image' : 'images'}`;
  const lines = [found.decision, ...found.notes,
    ...found.converted.map(({ from, how, count: number, example }) => `${images(number)} ${from}: ${how} (${example}).`),
    found.turned > 0 && `${images(found.turned)} with an orientation (EXIF): ${found.orientation === 'upright'
      ? 'turned upright' : 'taken as stored'}.`,
    found.damaged && `${images(found.damaged.count)} could not be read and left out: ${
      found.damaged.files.slice(0, 3).map(({ name }) => name).join(', ')}${found.damaged.count > 3 ? ', …' : ''}.`,
    ...found.ignored.map(({ kind, reason, count: number, examples }) => (
      `Ignored: ${count(number)} ${kind} (${reason}): ${examples.join(', ')}${number > examples.length ? ', …' : ''}`))];
  return h('section', { class: 'panel', 'aria-label': 'How it was read' }, h('h2', {}, 'How it was read'),
    h('ul', { class: 'statements' }, lines.filter(Boolean).map((line) => h('li', {}, line))));
}

function classes(summary) {
  return h('details', { class: 'panel' }, h('summary', {}, 'Classes and passed-over entries'),
    h('dl', { class: 'pairs' }, summary.classes.map(({ name, samples }) => [h('dt', {}, name), h('dd', {}, count(samples))])),
    summary.skipped.length > 0 && h('ul', { class: 'statements' }, summary.skipped.map(({ name, reason }) => (
      h('li', {}, h('span', { class: 'mono' }, name), `: ${reason}`)))));
}
