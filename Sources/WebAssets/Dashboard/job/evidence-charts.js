// The evidence as figures.
import { h } from '../core/dom.js';
import { emptyView } from '../core/problem-view.js';
import { legend } from '../charts/figure.js';
import { histogram } from '../charts/histogram.js';
import { busiest, matrix, square } from '../charts/matrix.js';
import { shareChart } from '../charts/share-chart.js';

const mostClasses = 40;

/** The affected classes first, then the most coherent. */
function ordered(classes, targets) {
  return [...classes].sort((a, b) => targets.has(b.label) - targets.has(a.label)
    || b.coherence_share - a.coherence_share).slice(0, mostClasses);
}

export function coherence(classes, targets) {
  return shareChart({
    title: 'Coherence: are samples pulled in one shared direction?',
    note: 'Share of a class’s perturbations that point in one direction. The mark is this job’s own null: what comes about '
      + 'by chance. A trigger makes its class stand far above it.',
    rows: ordered(classes, targets).map((entry) => ({
      name: entry.name, value: entry.coherence_share, other: entry.coherence_null, strong: targets.has(entry.label) })),
    names: ['Coherence share', 'Null'],
  });
}

export function triggerEffect(classes, targets) {
  const tested = classes.filter(({ trigger_effect: effect }) => effect !== null && effect !== undefined);
  if (!tested.length) {
    return emptyView('No trigger was tested', h('p', {}, 'No class was suspicious enough to estimate one.'));
  }
  return shareChart({
    title: 'Does the estimated trigger work?',
    note: 'Share of other classes’ images that go into the class when the estimated trigger is added. The mark is a random '
      + 'pattern of the same strength.',
    rows: ordered(tested, targets).map((entry) => ({
      name: entry.name, value: entry.trigger_effect, other: entry.random_effect, strong: targets.has(entry.label) })),
    names: ['Estimated trigger', 'Random pattern'],
  });
}

export function distances({ edges, classes }, name, targets) {
  const sorted = [...classes].sort((a, b) => targets.has(b.label) - targets.has(a.label) || a.label - b.label);
  return h('div', { class: 'stack' },
    h('p', { class: 'quiet' }, 'How far samples lie from the model’s decision boundary (L2 norm in input units). Poisoned ',
      'samples tend to lie further away. Few flagged samples are drawn up to four times as high.'),
    legend([[1, 'Unflagged', true], [2, 'Flagged']]),
    h('div', { class: 'small-charts' }, sorted.slice(0, mostClasses).map(({ label, unflagged, flagged }) => histogram({
      title: name(label), edges, unflagged, flagged }))),
    sorted.length > mostClasses && h('p', { class: 'quiet' }, `The first ${mostClasses} of ${sorted.length} classes.`));
}

export function labelMatrix(entries, names) {
  if (!entries?.length) return emptyView('No sample is flagged', h('p', {}, 'So no label is restored.'));
  const shown = busiest(names, square(names.length, entries.map(({ given, restored, count }) => ({
    from: given, to: restored, count }))));
  return matrix({
    title: 'Labels restored', down: 'given', across: 'restored', rows: shown.names, columns: shown.names,
    note: `What the flagged samples were labelled as, and what they most likely show.${shown.note}`,
    values: shown.values,
  });
}

export function adversarialSpread(entries, names) {
  if (!entries?.length) return emptyView('There are no adversarial labels');
  const shown = busiest(names, square(names.length, entries.map(({ predicted, adversarial, count }) => ({
    from: predicted, to: adversarial, count }))));
  return matrix({
    title: 'Where samples tend to', down: 'predicted', across: 'adversarial', rows: shown.names, columns: shown.names,
    note: 'The class that a sample falls into when it is pushed over the boundary, as shares of each row. Clean samples '
      + `spread; poisoned ones go back to their true class.${shown.note}`,
    values: shown.values, byRow: true,
  });
}
