// Makes elements. Text only ever becomes text nodes, and addresses only lead into this site: names of uploaded
// files come from strangers.

const SVG = 'http://www.w3.org/2000/svg';

function isLocal(address) {
  return /^(#|\/(?!\/)|blob:)/.test(address);
}

function apply(element, props) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else if (name === 'data') {
      Object.assign(element.dataset, value);
    } else if (name === 'value') {
      element.value = value;
    } else if (name === 'href' || name === 'src') {
      if (isLocal(String(value))) element.setAttribute(name, value);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** An HTML element: h('p', { class: 'note', on: { click } }, 'text', otherElement). */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  append(element, children);
  apply(element, props);
  return element;
}

/** What scrolls sideways where it is too wide; a keyboard reaches it too. */
export function scrollable(label, ...children) {
  return h('div', { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': label }, ...children);
}

/** The same for SVG. */
export function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

let counter = 0;
/** An id that no other element has. */
export function newID(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}
