// Fields of a form: label, input, hint, and beside them what the service says is wrong with what was entered.
import { h, newID } from './dom.js';
import { problemView } from './problem-view.js';

/** `location` is where a request's body has the value, as problems name it: '/options/rounds'. */
export function field(label, input, { hint, location } = {}) {
  const ids = { input: newID('field'), hint: newID('hint') };
  input.id = ids.input;
  if (hint) input.setAttribute('aria-describedby', ids.hint);
  return h('div', { class: 'field', data: location ? { location } : {} }, h('label', { for: ids.input }, label), input,
    hint && h('p', { class: 'hint', id: ids.hint }, hint));
}

/** Shows a problem beside the field of `form` that it is about. False where it is about none of them. */
export function showBeside(form, problem) {
  const isAbout = ({ dataset: { location } }) => (
    problem?.location === location || problem?.location?.startsWith(`${location}/`));
  // The nearest one that can be seen: the mean of a preset has no field of its own.
  const place = [...form.querySelectorAll('[data-location]')]
    .filter((one) => isAbout(one) && !one.closest('[hidden]'))
    .sort((one, other) => other.dataset.location.length - one.dataset.location.length)[0];
  const input = place?.querySelector('input, select, textarea');
  if (!input) return false;
  const note = problemView(problem, { level: 3 });
  note.id = newID('problem');
  const described = input.getAttribute('aria-describedby');
  input.setAttribute('aria-invalid', 'true');
  input.setAttribute('aria-describedby', [note.id, described].filter(Boolean).join(' '));
  place.append(note);
  const clear = () => {
    note.remove();
    input.removeAttribute('aria-invalid');
    if (described) input.setAttribute('aria-describedby', described);
    else input.removeAttribute('aria-describedby');
    for (const type of ['input', 'change', 'clear-problem']) input.removeEventListener(type, clear);
  };
  for (const type of ['input', 'change', 'clear-problem']) input.addEventListener(type, clear);
  for (let fold = place.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
  input.focus();
  place.scrollIntoView({ block: 'nearest' });
  return true;
}

/** Takes away what an earlier answer said. */
export function clearProblems(form) {
  for (const input of form.querySelectorAll('[aria-invalid]')) input.dispatchEvent(new Event('clear-problem'));
}
