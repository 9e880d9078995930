// An image with its caption; a sentence where it cannot be had.
import { Problem } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { number } from '../core/format.js';
import { image } from '../core/images.js';

export function picture(path, title, text, signal) {
  const frame = h('div', { class: 'frame' }, 'Loading…');
  const note = h('span', {}, text);
  image(path, signal).then(({ address, amplification }) => {
    fill(frame, h('img', { src: address, alt: `${title}. ${text}` }));
    if (amplification && path.endsWith('view=perturbation')) note.append(` Amplified ${number(amplification)} times around mid-grey.`);
  }).catch((error) => {
    if (error.name === 'AbortError') return;
    fill(frame, error instanceof Problem ? error.detail ?? error.title : 'Not available');
  });
  return h('figure', { class: 'picture' }, frame, h('figcaption', {}, h('strong', {}, title), note));
}
