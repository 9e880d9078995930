// The verdict in sentences that need no knowledge of the method.
import { count, list, percent } from '../core/format.js';

const kinds = {
  'all-to-one': 'One trigger leads into one class.',
  'several-targets': 'Several triggers, or one with several target classes, lead into different classes.',
  'all-to-all': 'The trigger moves every class to another one.',
  'clean-label': 'The poisoned images carry their true labels (a clean-label attack), so that looking at labels does not find them.',
};

export function headline(verdict) {
  return {
    backdoored: 'This model carries a backdoor.', suspicious: 'This model is suspicious.',
    clean: 'No backdoor was found.', undetermined: 'Too few samples to judge this model.',
  }[verdict.result];
}

export function lead(verdict, name, samples) {
  const targets = list(verdict.target_classes.map((label) => `“${name(label)}”`));
  const rate = `${count(verdict.poisoned_samples)} of ${count(samples)} training images`;
  switch (verdict.result) {
    case 'backdoored': return `Whoever knows the hidden trigger can make it answer ${targets || 'what they want'}. `
      + `${rate} planted it.`;
    case 'suspicious': return `Some of the evidence points to a backdoor${targets ? ` into ${targets}` : ''}, some does not. `
      + `${rate} stand out.`;
    case 'undetermined': return `${unjudged(verdict, name)} too few samples: a group of planted ones would not have been noticed `
      + 'there. In the other classes nothing was found, which does not make the model clean.';
    default: return 'The training data and the model’s behaviour on it show no sign of one. What this scan could not have '
      + 'seen is listed below.';
  }
}

export function advice(verdict, job) {
  const purified = job.type === 'purify' && job.state === 'succeeded';
  switch (verdict.result) {
    case 'backdoored': return purified && job.model_changed
      ? 'Do not use the uploaded model. The purified one is under “Before and after”; check there what the purification reached.'
      : 'Do not use this model. A purification removes the backdoor and corrects the labels; also find out where the data came from.';
    case 'suspicious': return 'Do not rely on this model yet. Look at the flagged images under “Samples”: do they share something '
      + 'that does not belong there? Accept or reject them by hand, then purify with these reviews.';
    case 'undetermined': return 'Do not take this model for clean. Give a data set with more samples of these classes, best of all '
      + 'the whole training set, and scan again.';
    default: return 'Nothing has to be done. The result holds for this model with this data set; a model trained on more data may differ.';
  }
}

function unjudged(verdict, name) {
  const classes = verdict.unjudged_classes ?? [];
  if (classes.length === 1) return `The class “${name(classes[0])}” has`;
  if (classes.length > 8) return `${count(classes.length)} classes have`;
  return `The classes ${list(classes.map((label) => `“${name(label)}”`))} have`;
}

export const kindText = (verdict) => kinds[verdict.kind] ?? null;

/** Null where nothing was decided. */
export function confidence(verdict) {
  if (verdict.confidence === null || verdict.confidence === undefined) return null;
  const share = verdict.confidence;
  const word = share >= 0.99 ? 'Very sure' : share >= 0.9 ? 'Sure' : share >= 0.75 ? 'Fairly sure' : 'Not sure';
  return { word, text: `${share > 0.999 ? 'over 99.9 %' : percent(share, share > 0.99 ? 1 : 0)} for this result, on a scale from 50 % (open) to 100 %` };
}

/** The share of poison below which nothing would have been noticed; null where that was not measured. */
export const missed = ({ detectable_rate: rate }) => (rate === null || rate === undefined ? null : `below ${percent(rate)}`);

export function interval(verdict) {
  const [low, high] = verdict.poison_rate_interval;
  return `95 % interval: ${percent(low)} to ${percent(high)}`;
}
