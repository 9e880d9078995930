// The frame around every page: name, navigation, theme switch.
import { h } from './dom.js';
import { themeSwitch } from './theme.js';

const places = [
  ['#/jobs', 'Jobs'], ['#/compare', 'Compare'], ['#/inputs', 'Models and data sets'], ['#/system', 'System'],
];

export function drawTop(header) {
  header.append(
    h('a', { class: 'brand', href: '#/jobs' },
      h('span', { class: 'brand-mark', 'aria-hidden': 'true' }), 'BURN',
      h('span', { class: 'brand-note' }, 'backdoor analysis')),
    h('nav', { 'aria-label': 'Main' },
      h('ul', {}, places.map(([href, text]) => h('li', {}, h('a', { href }, text))))),
    themeSwitch());
}

export function markCurrent(path) {
  const section = path.startsWith('/models') || path.startsWith('/datasets') ? '/inputs'
    : path.startsWith('/start') ? '/jobs' : `/${path.split('/')[1]}`;
  for (const link of document.querySelectorAll('#top nav a')) {
    if (link.getAttribute('href') === `#${section}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}
