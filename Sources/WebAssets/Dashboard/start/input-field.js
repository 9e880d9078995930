// A model or data set for a job: dropped, picked as a file, or one that is there already.
import { Problem, pages, probe } from '../core/api.js';
import { announce } from '../core/announce.js';
import { fill, h, newID } from '../core/dom.js';
import { bytes, count, duration, percent } from '../core/format.js';
import { problemView } from '../core/problem-view.js';
import { importOptions } from './import-options.js';
import { uploadInput } from './upload.js';

export function inputField(kind, { title, hint, accept, chosen, signal, listed = true, onReady = () => {} }) {
  const ids = { file: newID('file'), known: newID('known'), hint: newID('hint'), title: newID('title') };
  const singular = kind === 'models' ? 'model' : 'data set';
  const state = h('div', { role: 'status' });
  const known = h('select', { id: ids.known }, h('option', { value: '' }, 'None chosen'));
  const file = h('input', { id: ids.file, type: 'file', accept, 'aria-describedby': ids.hint });
  const reading = importOptions(kind);
  const stop = h('button', { type: 'button', hidden: true }, 'Stop the upload');
  let id = chosen ?? '';
  let running = null;

  const take = async (record) => {
    id = record.id;
    if (![...known.options].some(({ value }) => value === id)) {
      known.append(h('option', { value: id }, `${record.name} (${bytes(record.bytes)})`));
    }
    known.value = id;
    drop.classList.add('done');
    fill(state, summary(kind, record));
  };
  const upload = async (picked) => {
    if (!picked) return;
    running?.abort();
    const own = new AbortController();
    running = own;
    id = '';
    known.value = '';
    drop.classList.remove('done');
    stop.hidden = false;
    const bar = h('progress', { max: 1, 'aria-label': `Upload of the ${singular}` });
    const note = h('p', { class: 'small quiet' });
    const name = h('p', {}, h('strong', {}, picked.name), ` ${bytes(picked.size)}`);
    fill(state, name, bar, note);
    const begun = Date.now();
    try {
      const record = await uploadInput(kind, picked, {
        parameters: reading.value(), signal: own.signal,
        onProgress: (stage, share) => {
          if (share === null) bar.removeAttribute('value');
          else bar.value = share;
          note.textContent = share === null ? `${stage}…` : `${stage}, ${percent(share, 0)}${left(begun, share)}`;
        },
      });
      if (running !== own) return;
      await take(record);
      onReady(record);
      announce(`${picked.name} is ready`);
    } catch (error) {
      if (running !== own) return;
      if (own.signal.aborted) fill(state, name, h('p', { class: 'quiet' }, 'The upload was stopped.'));
      else fill(state, name, problemView(error, { level: 3, retry: () => upload(picked) }));
    } finally {
      if (running === own) { running = null; stop.hidden = true; }
    }
  };
  const drop = h('div', {
    class: 'drop', on: {
      dragover: (event) => { event.preventDefault(); drop.classList.add('over'); },
      dragleave: () => drop.classList.remove('over'),
      drop: (event) => {
        event.preventDefault();
        drop.classList.remove('over');
        upload(event.dataTransfer.files[0]);
      },
    },
  },
  h('div', { class: 'field' }, h('label', { for: ids.file }, 'Drop a file here, or choose one'), file,
    h('p', { class: 'hint', id: ids.hint }, hint)),
  listed && h('div', { class: 'field' }, h('label', { for: ids.known }, 'Or one that is here already'), known),
  reading.element, state, h('div', { class: 'actions' }, stop));

  file.addEventListener('change', () => upload(file.files[0]));
  stop.addEventListener('click', () => running?.abort());
  signal.addEventListener('abort', () => running?.abort());
  known.addEventListener('change', async () => {
    running?.abort();
    id = known.value;
    drop.classList.toggle('done', id !== '');
    fill(state);
    const answer = id ? await probe(`/v1/${kind}/${id}`) : {};
    if (answer.value && answer.value.id === known.value) fill(state, summary(kind, answer.value));
  });

  return {
    element: h('section', { class: 'panel', 'aria-labelledby': ids.title }, h('h2', { id: ids.title }, title), drop),
    /** Fills the list; the newest 1,000 are enough to choose from. */
    async load() {
      const { value: items } = await pages(`/v1/${kind}`, { signal }).next();
      known.append(...items.filter(({ state: found }) => found !== 'rejected').map((record) => h('option', {
        value: record.id }, `${record.name} (${bytes(record.bytes)})`)));
      const first = items.find((record) => record.id === chosen);
      if (first) await take(first);
    },
    /** The id, or a problem that says what is missing. */
    id() {
      if (running) {
        throw new Problem({ title: `The ${singular} is still being uploaded`, fix: 'Wait until it is ready.' }, 0);
      }
      if (id) return id;
      throw new Problem({
        title: `No ${singular} is chosen`, detail: 'A job needs a model and the data it was trained on.',
        fix: `Drop a file under “${title}”, or choose one that is here already.`,
      }, 0);
    },
  };
}

function left(begun, share) {
  const seconds = (Date.now() - begun) / 1000;
  return seconds > 2 && share > 0.02 && share < 1 ? `, about ${duration((seconds / share) * (1 - share))} left` : '';
}

function summary(kind, { name, summary: found, sha256, state, verified }) {
  const facts = !found ? [state === 'importing' ? 'Being read' : state]
    : kind === 'models'
      ? [found.format, `${count(found.classes)} classes`, `${count(found.parameters)} parameters`,
        `input ${found.input_shape.map((side, axis) => side ?? (axis ? 'any' : 'N')).join(' × ')}`]
      : [found.format, `${count(found.samples)} images`, `${found.width} × ${found.height} × ${found.channels}`,
        `${count(found.classes.length)} classes`,
        ...(found.skipped_total ? [`${count(found.skipped_total)} entries passed over`] : [])];
  return h('div', { class: 'small' }, h('p', {}, h('strong', {}, name)), h('p', {}, facts.join(' · ')),
    h('p', { class: 'quiet' }, `SHA-256${verified ? ' (verified in this browser)' : ''}: `,
      h('span', { class: 'mono' }, sha256)));
}
