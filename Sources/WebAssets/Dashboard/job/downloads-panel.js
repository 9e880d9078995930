// The results as files, with their SHA-256.
import { Problem } from '../core/api.js';
import { h } from '../core/dom.js';
import { bytes } from '../core/format.js';
import { downloadButton, facts } from '../core/download.js';

function purifiedName(model) {
  const dot = model.lastIndexOf('.');
  return dot > 0 ? `${model.slice(0, dot)}-purified${model.slice(dot)}` : `${model}-purified`;
}

export async function downloadsPanel(job, model, signal) {
  const path = `/v1/jobs/${job.id}`;
  const rows = await Promise.all([
    row('Model', job.model_changed ? 'The purified model, in the format it came in.' : 'The model, unchanged.',
      `${path}/model`, job.model_changed ? purifiedName(model) : model, true, signal),
    row('Labels', 'Every sample with its given and restored label (CSV).', `${path}/labels`, `labels-${job.id}.csv`, false,
      signal),
    row('Samples', 'All findings of all samples (CSV).', `${path}/samples?format=csv`, `samples-${job.id}.csv`, false),
  ]);
  return h('section', { class: 'panel', 'aria-labelledby': 'downloads-title' },
    h('h2', { id: 'downloads-title' }, 'Downloads'),
    h('table', { class: 'cards' },
      h('thead', {}, h('tr', {}, ['File', 'Size', 'SHA-256', 'Download'].map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, rows)));
}

async function row(title, note, path, name, primary, signal) {
  let known = { size: null, sha256: null };
  try {
    if (signal) known = await facts(path, signal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return h('tr', {}, h('th', { scope: 'row', 'data-label': 'File' }, title), h('td', { colspan: 3 }, error.title));
  }
  const cell = (label, ...content) => h('td', { 'data-label': label }, h('div', {}, content));
  return h('tr', {},
    h('th', { scope: 'row', 'data-label': 'File' }, h('div', {}, title, h('div', { class: 'quiet small' }, note))),
    cell('Size', h('span', { class: 'nowrap' }, bytes(known.size))),
    cell('SHA-256', h('span', { class: 'mono small' }, known.sha256 ?? '–')),
    cell('Download', downloadButton('Download', path, name, { primary })));
}
