// Shows the page that the address's fragment names.
import { fill, h } from './dom.js';
import { problemView } from './problem-view.js';
import { markCurrent } from './shell.js';

let leave = null;

/** The current address: its path and its parameters. */
export function address() {
  const [path, query] = (location.hash.slice(1) || '/').split('?');
  return { path, query: new URLSearchParams(query) };
}

/** Changes the parameters of the address without loading the page again. */
export function setQuery(values) {
  const { path, query } = address();
  for (const [name, value] of Object.entries(values)) {
    if (value === '' || value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, '', `#${path}${text ? `?${text}` : ''}`);
}

export function go(path) {
  location.hash = path;
}

function match(pattern, path) {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = given[index];
    else if (part !== given[index]) return null;
  }
  // Ids go into addresses of requests: nothing else may pass.
  return Object.values(params).every((value) => /^[A-Za-z0-9_-]{1,128}$/.test(value)) ? params : null;
}

async function show(pages, main) {
  const { path, query } = address();
  leave?.abort();
  leave = new AbortController();
  const { signal } = leave;
  markCurrent(path);
  for (const [pattern, load] of pages) {
    const params = match(pattern, path);
    if (!params) continue;
    try {
      const page = await load();
      if (signal.aborted) return;
      const container = h('div', { class: 'page' });
      fill(main, container);
      scrollTo(0, 0);
      await page.show(container, { params, query, signal, path });
      if (!signal.aborted) settle(main);
    } catch (error) {
      if (signal.aborted || error.name === 'AbortError') return;
      fill(main, h('div', { class: 'page' }, h('h1', {}, 'This page cannot be shown'), problemView(error)));
      settle(main);
    }
    return;
  }
  fill(main, h('div', { class: 'page' }, h('h1', {}, 'There is no such page'),
    h('p', {}, h('a', { href: '#/jobs' }, 'Go to the jobs'))));
  settle(main);
}

let isFirst = true;

/** Screen readers and keyboards go on at the new page's heading; the first page is read from its beginning. */
function settle(main) {
  const heading = main.querySelector('h1');
  document.title = heading ? `${heading.textContent} – BURN` : 'BURN';
  const wasFirst = isFirst;
  isFirst = false;
  if (heading && !wasFirst && (document.activeElement === document.body || document.activeElement === null)) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}

export function startRouter(pages, main, home) {
  addEventListener('hashchange', () => {
    // The skip link's own fragment is not a page.
    if (location.hash === '#main') {
      history.back();
      main.focus();
      return;
    }
    show(pages, main);
  });
  if (!location.hash || location.hash === '#main') history.replaceState(null, '', `#${home}`);
  show(pages, main);
}
