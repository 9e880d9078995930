// Before and after: accuracies, confusion, rounds, labels, downloads.
import { get, probe } from '../core/api.js';
import { fill, h, scrollable } from '../core/dom.js';
import { count, percent, points } from '../core/format.js';
import { emptyView, missingView, problemView } from '../core/problem-view.js';
import { busiest, matrix } from '../charts/matrix.js';
import { downloadsPanel } from './downloads-panel.js';
import { classAccuracies } from './class-accuracies.js';
import { roundsPanel } from './rounds-panel.js';

export async function show(container, { job, signal, model }) {
  if (job.type === 'scan') {
    fill(container, emptyView('A scan changes nothing', h('p', {}, 'It stops after the verdict. ',
      h('a', { href: `#/start?type=purify&model=${job.model}&dataset=${job.dataset}` }, 'Purify this model'))));
    return;
  }
  if (job.state !== 'succeeded') {
    fill(container, job.error ? problemView(job.error) : emptyView('The purification is not finished',
      h('p', {}, h('a', { href: `#/jobs/${job.id}/progress` }, 'Follow the progress'))));
    return;
  }
  const [assessment, metrics, curves] = await Promise.all([
    probe(`/v1/jobs/${job.id}/assessment`, { signal }), get(`/v1/jobs/${job.id}/metrics`, { signal }),
    probe(`/v1/jobs/${job.id}/curves`, { signal }),
  ]);
  const downloads = await downloadsPanel(job, model, signal);
  fill(container, changed(job, metrics.items, assessment.value), downloads,
    ...details(assessment), roundsPanel(metrics.items, curves.value));
}

function changed(job, metrics, assessment) {
  const { before, after } = job.metrics;
  const title = job.model_changed ? 'The model was purified.' : 'The model was left as it is.';
  const labels = assessment?.labels_changed ?? (job.model_changed ? job.verdict?.poisoned_samples : 0);
  const why = job.model_changed ? `${count(labels ?? 0)} training labels were corrected.`
    : job.verdict?.result === 'clean' ? 'Nothing had to be removed; the file is byte for byte the one you uploaded.'
      : 'The evidence was not clear enough to change it. Review the samples by hand, or purify on suspicion.';
  return h('section', { class: `panel verdict ${job.model_changed ? 'clean' : ''}`, 'aria-labelledby': 'outcome-title' },
    h('h2', { class: 'headline', id: 'outcome-title' }, title), h('p', { class: 'lead' }, why),
    before && after ? measured(before, after) : residual(metrics));
}

function measured(before, after) {
  const rows = [
    ['acc', 'Clean accuracy (ACC)', 'Clean test images that are classified rightly', 1],
    ['asr', 'Attack success (ASR)', 'Images with the trigger that land in the target class', -1],
    ['ra', 'Robust accuracy (RA)', 'Images with the trigger that are classified rightly all the same', 1],
  ].filter(([name]) => Number.isFinite(before[name]) && Number.isFinite(after[name]));
  if (!rows.length) return h('p', {}, 'No accuracies were measured.');
  return scrollable('Evaluation',
    h('table', {}, h('caption', {}, 'On the evaluation sets you gave'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Measure'), ['Before', 'After', 'Change'].map((text) => (
      h('th', { scope: 'col', class: 'number' }, text))))),
    h('tbody', {}, rows.map(([name, label, note, sign]) => {
      const change = after[name] - before[name];
      const kind = Math.abs(change) < 0.002 ? '' : change * sign > 0 ? 'better' : 'worse';
      return h('tr', {}, h('th', { scope: 'row' }, label, h('div', { class: 'quiet small' }, note)),
        h('td', { class: 'number' }, percent(before[name])), h('td', { class: 'number' }, percent(after[name])),
        h('td', { class: `number ${kind}` }, points(change)));
    }))));
}

function residual(metrics) {
  const last = (name) => metrics.filter((point) => point.name === name).at(-1)?.value;
  const [asr, holdout] = [last('residual_asr_estimate'), last('holdout_accuracy')];
  const fact = (term, value, small) => h('div', { class: 'fact' }, h('dt', {}, term),
    h('dd', {}, value, h('small', {}, small)));
  return h('div', { class: 'stack' }, h('p', {}, 'No evaluation set was given, so these are estimates from the training data.'),
    h('dl', { class: 'facts' },
      asr !== undefined && fact('Estimated residual attack success', percent(asr),
        'of other classes’ images, with the estimated trigger'),
      holdout !== undefined && fact('Accuracy on trusted samples', percent(holdout), 'which no training touched'),
      asr === undefined && holdout === undefined && fact('Estimates', 'None', 'no retraining took place')));
}

function details({ value, missing }) {
  if (!value) return [missingView(missing, 'Accuracies of each class are not available')];
  const set = value.evaluation ?? value.holdout;
  if (!set) return [];
  const where = value.evaluation ? 'on your clean evaluation set' : 'on the internal holdout of trusted samples';
  const names = set.classes.map(({ name }) => name);
  const confusion = (title, values) => {
    if (!values) return null;
    const shown = busiest(names, values);
    return h('section', { class: 'panel' }, matrix({
      title, note: `True class (rows) and answer (columns), ${where}. Errors are red.${shown.note}`, rows: shown.names,
      columns: shown.names, values: shown.values, down: 'true', across: 'answer', byRow: true,
      bad: (row, column) => row !== column }));
  };
  return [classAccuracies(set.classes, where),
    h('div', { class: 'columns' }, confusion('Confusion before', set.confusion_before),
      confusion('Confusion after', set.confusion_after))];
}
