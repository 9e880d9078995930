// Downloads that carry the API key, and are held against their SHA-256.
import { send } from './api.js';
import { h, fill } from './dom.js';
import { announce } from './announce.js';
import { bytes } from './format.js';
import { problemView } from './problem-view.js';
import { hexadecimal, sha256 } from './digest.js';

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = h('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** What HEAD tells: size, and SHA-256 from the ETag. */
export async function facts(path, signal) {
  const response = await send(path, { method: 'HEAD', signal });
  const tag = response.headers.get('ETag')?.replaceAll('"', '') ?? '';
  const length = response.headers.get('Content-Length');
  return { size: length === null ? null : Number(length), sha256: /^[0-9a-f]{64}$/.test(tag) ? tag : null };
}

/** A button that downloads, says what came, and whether it is what the service has. */
export function downloadButton(label, path, name, { primary = false } = {}) {
  const note = h('div', { class: 'download-note', role: 'status' });
  const button = h('button', {
    type: 'button', class: primary ? 'primary' : '', on: {
      click: async () => {
        button.disabled = true;
        fill(note, 'Downloading…');
        try {
          const response = await send(path);
          const expected = response.headers.get('ETag')?.replaceAll('"', '') ?? '';
          const blob = await response.blob();
          const digest = await sha256(blob);
          const wrong = digest && /^[0-9a-f]{64}$/.test(expected) && hexadecimal(digest) !== expected;
          if (wrong) {
            throw Object.assign(new Error(), {
              title: 'The download is damaged', detail: 'Its SHA-256 is not the one that the service names.',
              fix: 'Download it again.',
            });
          }
          save(blob, name);
          fill(note, `${bytes(blob.size)} saved${digest && expected ? ', SHA-256 verified' : ''}.`);
          announce(`${name} saved`);
        } catch (error) {
          fill(note, problemView(error, { level: 3 }));
        } finally {
          button.disabled = false;
        }
      },
    },
  }, label);
  return h('div', { class: 'download' }, button, note);
}
