// A problem as a person reads it: what is wrong, where, and what to do.
import { h } from './dom.js';
import { Problem } from './api.js';

export function problemView(error, { retry, level = 2 } = {}) {
  const known = error instanceof Problem || error?.title;
  if (!known) console.error(error);
  const problem = known ? error : {
    title: 'The page met an error of its own', detail: String(error?.message ?? error),
    fix: 'Load the page again. If it stays, report it with what the browser’s console says.',
  };
  return h('div', { class: 'problem', role: 'alert' },
    h(`h${level}`, { class: 'problem-title' }, problem.title),
    problem.detail && h('p', {}, problem.detail),
    problem.location && h('p', { class: 'quiet' }, 'Where: ', h('code', {}, problem.location)),
    problem.fix && h('p', {}, h('strong', {}, 'What to do: '), problem.fix),
    retry && h('button', { type: 'button', on: { click: retry } }, 'Try again'));
}

/** Something that is not there yet, or not in this version: no error. */
export function missingView(problem, what) {
  return h('div', { class: 'empty' },
    h('p', {}, h('strong', {}, what)),
    problem?.detail && h('p', {}, problem.detail),
    problem?.fix && problem.status === 409 && h('p', {}, problem.fix));
}

export function emptyView(title, ...rest) {
  return h('div', { class: 'empty' }, h('p', {}, h('strong', {}, title)), ...rest);
}
