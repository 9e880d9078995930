// Asks for an API key when the service wants one.
import { h } from './dom.js';

/** Resolves with the key that was typed. It cannot be closed otherwise: nothing can be shown without a key. */
export function keyDialog(problem) {
  return new Promise((resolve) => {
    const input = h('input', {
      id: 'api-key', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true,
      'aria-describedby': 'api-key-note',
    });
    const form = h('form', { method: 'dialog' },
      h('h2', { id: 'api-key-title' }, 'This service asks for an API key'),
      h('p', { id: 'api-key-note' },
        problem?.code === 'unauthenticated' && problem.detail ? `${sentence(problem.detail)} ` : '',
        'A key is made on the server with “burnd keys create NAME”. It is kept in this tab only.'),
      h('label', { for: 'api-key' }, 'API key'), input,
      h('div', { class: 'actions' }, h('button', { class: 'primary', type: 'submit' }, 'Sign in')));
    const dialog = h('dialog', { 'aria-labelledby': 'api-key-title', class: 'dialog' }, form);
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(input.value.trim());
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
