// One sample in the grid.
import { h } from '../core/dom.js';

const marks = { accept: 'poisoned', reject: 'clean', relabel: 'relabelled' };

export function makeTile() {
  const picture = h('img', { alt: '', decoding: 'async', width: 80, height: 80 });
  const labels = h('div', { class: 'labels' });
  const score = h('div', { class: 'score' });
  const mark = h('span', { class: 'mark', hidden: true });
  const element = h('div', { class: 'tile blank' }, picture, labels, score, mark);
  return { element, picture, labels, score, mark, path: undefined };
}

/** @param sample undefined: there is none; null: it is not loaded yet. */
export function fillTile(tile, sample, { id, place, total, name, active, selected }) {
  const { element, labels, score, mark } = tile;
  if (sample === undefined) {
    element.className = 'tile blank';
    element.removeAttribute('role');
    element.removeAttribute('id');
    delete element.dataset.place;
    return;
  }
  element.id = id;
  element.dataset.place = place;
  element.setAttribute('role', 'option');
  element.setAttribute('aria-posinset', place + 1);
  element.setAttribute('aria-setsize', total);
  element.setAttribute('aria-selected', selected);
  element.className = `tile${sample?.flagged ? ' flagged' : ''}${active ? ' active' : ''}`;
  const given = sample ? name(sample.given_label) : '…';
  const moved = sample && sample.restored_label !== sample.given_label;
  labels.textContent = moved ? `${given} → ${name(sample.restored_label)}` : given;
  score.textContent = sample ? `${sample.flagged ? '⚑ ' : ''}${sample.score.toFixed(3)}` : '';
  const decision = sample?.review?.decision;
  mark.hidden = !decision;
  mark.className = `mark ${decision ?? ''}`;
  mark.textContent = decision ? marks[decision] : '';
  element.setAttribute('aria-label', sample
    ? `${sample.name}, ${labels.textContent}, score ${sample.score.toFixed(3)}${sample.flagged ? ', flagged' : ''}${
      decision ? `, reviewed as ${marks[decision]}` : ''}` : 'Loading');
}
