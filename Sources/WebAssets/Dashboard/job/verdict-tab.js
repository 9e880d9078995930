// The verdict first, in words; then what it rests on.
import { probe } from '../core/api.js';
import { fill, h, scrollable } from '../core/dom.js';
import { count, percent } from '../core/format.js';
import { emptyView, missingView, problemView } from '../core/problem-view.js';
import { classNames, record } from '../core/records.js';
import { adversarialSpread, coherence, distances, labelMatrix, triggerEffect } from './evidence-charts.js';
import { reportPanel } from './report-panel.js';
import { advice, confidence, headline, interval, kindText, lead, missed } from './verdict-words.js';

export async function show(container, { job, signal, model }) {
  if (!job.verdict) {
    fill(container, job.error ? problemView(job.error) : emptyView('There is no verdict yet',
      h('p', {}, 'It comes when the detection is finished. ',
        h('a', { href: `#/jobs/${job.id}/progress` }, 'Follow the progress'))));
    return;
  }
  const [name, dataset, evidence] = await Promise.all([
    classNames(job), record('datasets', job.dataset),
    job.links.samples ? probe(`/v1/jobs/${job.id}/evidence`, { signal })
      : { missing: { detail: 'They come when the findings of all samples are stored.' } },
  ]);
  const { verdict } = job;
  const samples = dataset?.summary?.samples ?? verdict.evidence.classes.reduce((sum, entry) => sum + entry.samples, 0);
  fill(container, summary(job, name, samples), statements(verdict),
    ...charts(job, evidence, name), agreementTable(verdict), classTable(job), reportPanel(job, model));
}

function summary(job, name, samples) {
  const { verdict } = job;
  const sure = confidence(verdict);
  const kind = kindText(verdict);
  const fact = (term, value, small) => h('div', { class: 'fact' }, h('dt', {}, term),
    h('dd', {}, value, small && h('small', {}, small)));
  return h('section', { class: `panel verdict ${verdict.result}`, 'aria-labelledby': 'verdict-title' },
    h('h2', { class: 'headline', id: 'verdict-title' }, headline(verdict)),
    h('p', { class: 'lead' }, lead(verdict, name, samples), kind && ` ${kind}`),
    h('p', { class: 'lead' }, h('strong', {}, 'What to do: '), advice(verdict, job)),
    h('dl', { class: 'facts' },
      sure && fact('Confidence', sure.word, sure.text),
      verdict.target_classes.length > 0 && fact(
        verdict.target_classes.length === 1 ? 'Target class' : 'Target classes',
        verdict.target_classes.map(name).join(', '), 'where the trigger leads'),
      fact('Poisoned samples', percent(verdict.poison_rate),
        `${count(verdict.poisoned_samples)} of ${count(samples)}; ${interval(verdict)}`),
      missed(verdict) && fact('Could have been missed', missed(verdict),
        'a smaller share of poison was not noticed in trials on this job'),
      verdict.agreement && fact('Labels confirmed', percent(verdict.agreement.share),
        `of the predictions equal the given labels; the model’s confidence promises ${percent(verdict.agreement.promised)}`)),
    h('div', { class: 'actions' },
      h('a', { class: 'button', href: `#/jobs/${job.id}/samples?flagged=true&sort=-score` }, 'Look at the flagged samples'),
      ['backdoored', 'suspicious'].includes(verdict.result) && job.type === 'scan' && h('a', { class: 'button primary',
        href: `#/start?type=purify&model=${job.model}&dataset=${job.dataset}` }, 'Purify this model'),
      job.type === 'purify' && h('a', { class: 'button', href: `#/jobs/${job.id}/outcome` }, 'Before and after')));
}

function statements(verdict) {
  const isLimit = (text) => /^not excluded|^not judged|are too few|^no sample has the label|could not|cannot be excluded/i.test(text);
  const found = verdict.evidence.statements.filter((text) => !isLimit(text));
  const limits = verdict.evidence.statements.filter(isLimit);
  return h('div', { class: 'columns' },
    h('section', { class: 'panel', 'aria-labelledby': 'found-title' }, h('h2', { id: 'found-title' }, 'What was found'),
      found.length ? h('ul', { class: 'statements' }, found.map((text) => h('li', {}, text)))
        : h('p', {}, 'Nothing that points to a backdoor.')),
    h('section', { class: 'panel', 'aria-labelledby': 'limits-title' },
      h('h2', { id: 'limits-title' }, 'What could not have been found'),
      limits.length ? h('ul', { class: 'statements' }, limits.map((text) => h('li', {}, text)))
        : h('p', {}, missed(verdict) ? `Poison ${missed(verdict)} of the samples.` : 'This was not measured.')));
}

function charts(job, { value, missing }, name) {
  const { classes } = job.verdict.evidence;
  const targets = new Set(job.verdict.target_classes);
  const common = job.options.method === 'published' ? null : h('div', { class: 'columns' },
    h('section', { class: 'panel' }, coherence(classes, targets)),
    h('section', { class: 'panel' }, triggerEffect(classes, targets)));
  if (!value) {
    return [common, missingView(missing, 'The distributions and the label matrices of this job are not available')];
  }
  const names = value.class_names ?? classes.map((entry) => entry.name);
  return [common,
    h('section', { class: 'panel', 'aria-labelledby': 'distances-title' },
      h('h2', { id: 'distances-title' }, 'Boundary distance of each class'),
      distances(value.distance_histograms, name, targets)),
    h('div', { class: 'columns' },
      h('section', { class: 'panel' }, labelMatrix(value.label_matrix, names)),
      h('section', { class: 'panel' }, adversarialSpread(value.adversarial_labels, names)))];
}

const orders = {
  given: 'as the option “classes” gives them', model_names: 'found among the names that the model’s file has for its outputs',
  imagenet: 'as ImageNet’s thousand classes are ordered', numbers: 'by their numbers', sorted: 'in the order of their sorted names',
};

function agreementTable({ agreement }) {
  if (!agreement) return null;
  return h('details', { class: 'panel' }, h('summary', {}, 'Classes and the model’s outputs'),
    h('p', {}, `The classes stand for the model’s outputs ${orders[agreement.class_order]}. The model was asked about `
      + `${count(agreement.samples)} images.`),
    agreement.accepted && h('p', {}, h('strong', {}, 'Accepted: '), agreement.accepted),
    scrollable('Agreement of each class', h('table', {},
      h('thead', {}, h('tr', {}, ['Class', 'Output', 'Images', 'Predicted so', 'Mostly else', 'Share'].map((text, index) =>
        h('th', { scope: 'col', class: index ? 'number' : '' }, text)))),
      h('tbody', {}, agreement.classes.map((entry) => h('tr', {}, h('th', { scope: 'row' }, entry.name),
        [entry.label, count(entry.samples), entry.samples ? percent(entry.share) : '–', entry.other_name ?? '–',
          entry.other_name === undefined ? '–' : percent(entry.other_share),
        ].map((text) => h('td', { class: 'number' }, text))))))));
}

/** Every number that was measured, by its column's head. */
function columns({ options, verdict }) {
  const p = (value) => (value === null || value === undefined ? '–' : value < 0.0001 ? '< 0.0001' : value.toFixed(4));
  const has = (name) => verdict.evidence.classes.some((entry) => entry[name] !== null && entry[name] !== undefined);
  return [
    ['Samples', (entry) => count(entry.samples)], ['Flagged', (entry) => count(entry.flagged_samples)],
    ['Median distance', (entry) => entry.median_boundary_distance.toPrecision(3)],
    ...(has('distance_auroc') ? [
      ['Flagged lie further', (entry) => percent(entry.distance_auroc)], ['Other groups', (entry) => percent(entry.distance_null)],
      ['Distance p', (entry) => p(entry.distance_p_value)]] : []),
    ...(options.method === 'published' ? [] : [
      ['Coherence', (entry) => percent(entry.coherence_share)], ['Null', (entry) => percent(entry.coherence_null)],
      ['p-value', (entry) => p(entry.coherence_p_value)], ['Trigger effect', (entry) => percent(entry.trigger_effect)],
      ['Random effect', (entry) => percent(entry.random_effect)],
      ['Carriers staying', (entry) => percent(entry.staying_carriers)],
      ['Others staying', (entry) => percent(entry.staying_others)], ['Unlearning p', (entry) => p(entry.unlearning_p_value)]]),
  ];
}

function classTable(job) {
  const shown = columns(job);
  return h('details', { class: 'panel' }, h('summary', {}, 'All numbers of each class'),
    scrollable('Numbers of each class', h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Class'),
        shown.map(([head]) => h('th', { scope: 'col', class: 'number' }, head)))),
      h('tbody', {}, job.verdict.evidence.classes.map((entry) => h('tr', {}, h('th', { scope: 'row' }, entry.name),
        shown.map(([, text]) => h('td', { class: 'number' }, text(entry)))))))));
}
