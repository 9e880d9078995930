// Light or dark: what the system says, until a person chooses.
import { h } from './dom.js';

const slot = 'burn-theme';

function current() {
  return document.documentElement.dataset.theme
    ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
}

export function themeSwitch() {
  const saved = localStorage.getItem(slot);
  if (saved === 'light' || saved === 'dark') document.documentElement.dataset.theme = saved;
  const button = h('button', { type: 'button', class: 'theme quiet-button' });
  const label = () => {
    const other = current() === 'dark' ? 'light' : 'dark';
    button.textContent = other === 'dark' ? 'Dark' : 'Light';
    button.setAttribute('aria-label', `Change to ${other} colours`);
  };
  button.addEventListener('click', () => {
    const other = current() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = other;
    localStorage.setItem(slot, other);
    label();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', label);
  label();
  return button;
}
