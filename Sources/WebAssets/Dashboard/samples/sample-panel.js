// One sample closely: three images, all that is known of it, and a judgement by hand.
import { fill, h, newID } from '../core/dom.js';
import { announce } from '../core/announce.js';
import { number } from '../core/format.js';
import { picture } from '../job/picture.js';

const decisions = [
  ['accept', 'Poisoned', 'A'], ['reject', 'Clean', 'C'],
];
const words = { accept: 'poisoned', reject: 'clean', relabel: 'relabelled' };

export function samplePanel(job, { name, classes, desk, signal }) {
  const element = h('aside', { class: 'panel sample-panel', 'aria-label': 'The chosen sample', hidden: true });
  let current = null;
  let drawing = null;

  const judge = async (decision, label) => {
    const sample = current;
    const same = sample.review?.decision === decision && (decision !== 'relabel' || sample.review.label === label);
    await desk.put([sample], same ? null : decision, label);
    announce(same ? 'Judgement taken back' : `Judged as ${words[decision]}`);
  };
  const show = (sample) => {
    const again = current?.index === sample.index;
    current = sample;
    element.hidden = false;
    if (!again) {
      drawing?.abort();
      drawing = new AbortController();
      fill(element, head(sample), images(job, sample, AbortSignal.any([signal, drawing.signal])), facts(sample, name),
        h('div', { class: 'review' }));
    }
    fill(element.querySelector('.review'), review(sample, name, classes, judge));
  };
  return {
    element, show, shown: () => current?.index,
    /** Keys that judge while the grid has the focus. */
    shortcut(event) {
      if (!current || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 'a') judge('accept');
      else if (key === 'c') judge('reject');
      else if (key === 'r') element.querySelector('.review select')?.focus();
      else return;
      event.preventDefault();
    },
  };
}

function head(sample) {
  return h('div', {}, h('h2', {}, `Sample ${sample.index}`), h('p', { class: 'mono small quiet' }, sample.name));
}

function images(job, { index }, signal) {
  const path = `/v1/jobs/${job.id}/samples/${index}/image`;
  return h('div', { class: 'pictures' },
    picture(`${path}?view=original`, 'Original', '', signal),
    picture(`${path}?view=perturbation`, 'Change', 'The smallest one that moves the answer.', signal),
    picture(`${path}?view=adversarial`, 'Changed', '', signal));
}

function facts(sample, name) {
  const pair = (term, value) => [h('dt', {}, term), h('dd', {}, value)];
  return h('dl', { class: 'pairs' },
    pair('Verdict', sample.flagged ? 'Flagged as poisoned' : 'Not flagged'),
    pair('Given label', name(sample.given_label)), pair('Predicted', name(sample.predicted_label)),
    pair('Adversarial', sample.adversarial_label === null ? '–' : name(sample.adversarial_label)), pair('Restored', name(sample.restored_label)),
    pair('Sure of it', sample.label_confidence === null ? '–' : number(sample.label_confidence)),
    pair('Score', number(sample.score)), pair('Distance', sample.boundary_distance === null ? '–' : `${number(sample.boundary_distance)} (L2)`),
    pair('Coherence', number(sample.coherence)));
}

function review(sample, name, classes, judge) {
  const now = sample.review;
  const id = newID('relabel');
  const select = h('select', { id }, classes.map(([label, text]) => h('option', {
    value: label, selected: label === (now?.label ?? sample.restored_label) }, text)));
  return [
    h('h3', {}, 'Your judgement'),
    h('p', { class: 'small quiet' }, now ? `Judged as ${words[now.decision]}${
      now.decision === 'relabel' ? `: ${name(now.label)}` : ''}.` : 'Not judged yet. A purification can follow your judgements.'),
    h('div', { class: 'actions' }, decisions.map(([decision, text, key]) => h('button', {
      type: 'button', 'aria-pressed': now?.decision === decision, title: `Key ${key}`,
      on: { click: () => judge(decision) } }, text))),
    h('div', { class: 'field' }, h('label', { for: id }, 'Poisoned; its true class is'),
      h('div', { class: 'actions' }, select, h('button', {
        type: 'button', 'aria-pressed': now?.decision === 'relabel',
        on: { click: () => judge('relabel', Number(select.value)) } }, 'Relabel')))];
}
