// Asks before something that cannot be undone.
import { h, newID } from './dom.js';

/** Resolves with whether the person agreed. */
export function confirm(title, text, yes, no) {
  return new Promise((resolve) => {
    const id = newID('confirm');
    const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': id },
      h('form', { method: 'dialog' }, h('h2', { id }, title), h('p', {}, text),
        h('div', { class: 'actions' },
          h('button', { type: 'submit', value: 'no', autofocus: true }, no),
          h('button', { type: 'submit', value: 'yes', class: 'danger' }, yes))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
