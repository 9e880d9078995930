// A job while it runs (and what it did, afterwards): phases, curves, log.
import { get } from '../core/api.js';
import { announce } from '../core/announce.js';
import { fill, h } from '../core/dom.js';
import { listed, words } from '../core/format.js';
import { problemView } from '../core/problem-view.js';
import { job as loadJob } from '../core/records.js';
import { follow } from '../core/stream.js';
import { slurmText } from '../pages/job-row.js';
import { curves } from './curves.js';
import { logView } from './log-view.js';
import { phaseBar } from './phase-bar.js';

const over = (job) => ['succeeded', 'failed', 'cancelled'].includes(job.state);

export async function show(container, { job: first, signal, onJob }) {
  let job = first;
  const bar = phaseBar(job);
  const drawings = curves(job.id);
  const log = logView();
  const link = h('span', { class: 'link-state closed', role: 'status' }, over(job) ? 'Finished' : 'Connecting');
  const trouble = h('div');
  fill(container, trouble,
    h('section', { class: 'panel', 'aria-labelledby': 'phases-title' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'phases-title' }, 'Progress'), link), bar.element),
    h('section', { class: 'panel', 'aria-labelledby': 'curves-title' },
      h('h2', { id: 'curves-title' }, 'Training curves'), drawings.element),
    h('section', { class: 'panel', 'aria-labelledby': 'log-title' }, h('h2', { id: 'log-title' }, 'Log'), log.element));
  showError(trouble, job);

  let noted = note(job);
  let fetching = false;
  const refresh = async () => {
    if (fetching) return;
    fetching = true;
    try {
      const before = job.state;
      job = await loadJob(job.id, signal);
      bar.update(job);
      const now = note(job);
      if (now !== noted) showError(trouble, job);
      noted = now;
      if (job.state !== before) {
        onJob(job);
        announce(`The job is ${job.state}`);
        if (over(job)) link.textContent = 'Finished';
      }
    } finally {
      fetching = false;
    }
  };
  const take = (event) => {
    log.add(event);
    if (event.type === 'progress') bar.progress(event.data);
    if (event.type === 'curve') drawings.add(event.data);
    if (event.type === 'phase') announce(`${words(event.data.phase)} finished`);
    if (event.type === 'preliminary') announce('Verdict so far: backdoored');
    if (['state', 'phase', 'preliminary', 'verdict'].includes(event.type)) refresh().catch(() => {});
  };

  const last = await history(job.id, log, bar, signal);
  await drawings.load(signal);
  if (over(job)) return;
  const slow = setInterval(() => refresh().catch(() => {}), 5000);
  signal.addEventListener('abort', () => clearInterval(slow));
  follow(`/v1/jobs/${job.id}/events`, {
    after: last, signal, onEvent: take,
    onLink: (state) => {
      link.className = `link-state ${state}`;
      link.textContent = { open: 'Live', waiting: 'Reconnecting…', closed: 'Finished' }[state];
    },
    isOver: async () => { await refresh(); return over(job); },
  }).then(async () => {
    clearInterval(slow);
    await refresh();
    await drawings.load(signal);
  }).catch((error) => {
    clearInterval(slow);
    if (!signal.aborted) fill(trouble, problemView(error));
  });
}

/** What was logged before, with its times. */
async function history(id, log, bar, signal) {
  let cursor = '0';
  let progress = null;
  for (;;) {
    const page = await get(`/v1/jobs/${id}/events?limit=1000&cursor=${cursor}`, { signal });
    for (const { id: number, type, time, data } of page.items) {
      log.add({ id: number, type, data, time });
      if (type === 'progress') progress = data;
    }
    if (page.items.length) cursor = String(page.items.at(-1).id);
    if (page.items.length < 1000 || !page.next_cursor) {
      if (progress) bar.progress(progress);
      return Number(cursor);
    }
  }
}

/** What `showError` goes by: it is drawn again only where this changes. */
const note = (job) => JSON.stringify([job.state, job.paused, job.slurm, job.error, job.preliminary]);

function showError(place, job) {
  const hint = job.state === 'queued' && job.paused
    ? h('div', { class: 'note warn' }, `The job waits: ${words(job.paused).toLowerCase()}.`)
    : job.preliminary ? h('div', { class: 'note warn' }, 'Verdict so far: ',
      h('strong', {}, `backdoored, into ${listed(job.preliminary.names.map((name) => `“${name}”`))}`),
      over(job) ? '. The job ended before the rest was known.'
        : '. Which samples were planted, and whether other classes are targets too, is still being looked at.')
    : job.slurm?.state === 'pending' ? h('div', { class: 'note' }, `${slurmText(job.slurm)}.`) : null;
  fill(place, job.error ? problemView(job.error) : hint);
}

