// Order and filters of the grid; they are kept in the address.
import { h } from '../core/dom.js';
import { setQuery } from '../core/router.js';

const orders = [
  ['-score', 'Score, highest first'], ['score', 'Score, lowest first'],
  ['-boundary_distance', 'Distance, farthest first'], ['boundary_distance', 'Distance, nearest first'],
  ['-coherence', 'Coherence, highest first'], ['given_label', 'Class'], ['index', 'As in the data set'],
];

export function filterBar(query, classes, onChange) {
  const names = ['sort', 'flagged', 'class', 'predicted', 'restored', 'reviewed'];
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']));
  values.sort ||= '-score';
  const classOptions = [['', 'All'], ...classes.map(([label, name]) => [String(label), name])];
  const choice = (name, label, options) => {
    const id = `sample-${name}`;
    return h('div', { class: 'field' }, h('label', { for: id }, label), h('select', {
      id, on: {
        change: ({ target }) => {
          values[name] = target.value;
          setQuery({ [name]: target.value });
          onChange(parameters());
        },
      },
    }, options.map(([value, text]) => h('option', { value, selected: values[name] === value }, text))));
  };
  const parameters = () => {
    const wanted = new URLSearchParams();
    for (const name of names) if (values[name] !== '') wanted.set(name, values[name]);
    return wanted;
  };
  const element = h('form', {
    class: 'tool-bar', 'aria-label': 'Which samples', on: { submit: (event) => event.preventDefault() } },
  choice('sort', 'Order', orders),
  choice('flagged', 'Show', [['', 'All samples'], ['true', 'Flagged'], ['false', 'Not flagged']]),
  choice('class', 'Given label', classOptions), choice('predicted', 'Predicted', classOptions),
  choice('restored', 'Restored', classOptions),
  choice('reviewed', 'Reviewed', [['', 'All'], ['true', 'By hand'], ['false', 'Not yet']]));
  return { element, parameters };
}
