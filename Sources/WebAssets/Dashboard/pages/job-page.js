// The frame of one job: its name, what can be done with it, and its tabs.
import { submit } from '../core/api.js';
import { confirm } from '../core/confirm.js';
import { fill, h } from '../core/dom.js';
import { when, words } from '../core/format.js';
import { problemView } from '../core/problem-view.js';
import { inputName, job as loadJob } from '../core/records.js';
import { go } from '../core/router.js';
import { badge } from './job-row.js';

const tabs = [
  ['progress', 'Progress', () => import('../job/progress-tab.js')],
  ['verdict', 'Verdict', () => import('../job/verdict-tab.js')],
  ['samples', 'Samples', () => import('../samples/samples-tab.js')],
  ['trigger', 'Trigger', () => import('../job/trigger-tab.js')],
  ['outcome', 'Before and after', () => import('../job/outcome-tab.js')],
];

export async function show(container, { params, query, signal }) {
  const job = await loadJob(params.id, signal);
  const ended = ['succeeded', 'failed', 'cancelled'].includes(job.state);
  const name = params.tab ?? (job.verdict && ended ? 'verdict' : 'progress');
  const tab = tabs.find(([path]) => path === name) ?? tabs[0];
  const model = await inputName('models', job.model);
  const dataset = await inputName('datasets', job.dataset);
  const messages = h('div');
  const head = h('div', { class: 'stack' });
  const body = h('div', { class: 'stack', id: 'tab' });
  const drawHead = (shown) => fill(head,
    h('div', { class: 'page-head' },
      h('div', {}, h('h1', {}, `${words(shown.type)} of ${model}`),
        h('p', { class: 'quiet wide' }, badge(shown.state), ' with ',
          h('a', { href: `#/datasets/${shown.dataset}` }, dataset), ` · started ${when(shown.created_at)} · `,
          h('span', { class: 'mono' }, shown.id)), shown.webhook && h('p', { class: 'quiet' }, webhook(shown.webhook))),
      h('div', { class: 'actions' }, actions(shown, messages, remove))));
  const { show: draw } = await tab[2]();
  let stop = null;
  const drawTab = () => {
    stop = new AbortController();
    return draw(body, {
      job, query, signal: AbortSignal.any([signal, stop.signal]), model, dataset, onJob: drawHead });
  };
  // What the tab still asks for would be gone: it stops before the job is removed.
  const remove = async () => {
    stop?.abort();
    try {
      await submit('DELETE', `/v1/jobs/${job.id}`);
    } catch (error) {
      drawTab().catch(() => {});
      throw error;
    }
    go('/jobs');
  };
  drawHead(job);
  fill(container, head, messages,
    h('nav', { class: 'tabs', 'aria-label': 'Of this job' }, tabs.map(([path, text]) => h('a', {
      href: `#/jobs/${job.id}/${path}`, 'aria-current': path === tab[0] ? 'page' : null }, text))),
    body);
  try {
    await drawTab();
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}

/** How far telling the job's end is. */
function webhook({ host, state, tries, status, failure }) {
  const why = failure ?? (status ? `it answered ${status}` : null);
  const trouble = ['pending', 'abandoned'].includes(state) && tries > 0 && why ? ` after ${tries} tries: ${why}` : '';
  return `Webhook to ${host}: ${words(state)}${trouble}`;
}

/** What can be done with a job now; `remove` removes it and leaves its page. */
function actions(job, messages, remove) {
  const act = (label, work, options = {}) => h('button', {
    type: 'button', class: options.danger ? 'danger' : '', on: {
      click: async (event) => {
        event.target.disabled = true;
        try {
          fill(messages);
          await work();
        } catch (error) {
          fill(messages, problemView(error));
        } finally {
          event.target.disabled = false;
        }
      },
    },
  }, label);
  const path = `/v1/jobs/${job.id}`;
  const buttons = [];
  if (job.links.cancel) {
    buttons.push(act('Cancel', async () => {
      if (!await confirm('Cancel this job?', 'What it has found so far is kept; it can be run again.', 'Cancel the job',
        'Let it run')) return;
      await submit('POST', `${path}/cancel`);
    }, { danger: true }));
  }
  if (job.links.retry) {
    buttons.push(act('Run again', async () => {
      await submit('POST', `${path}/retry`);
      go(`/jobs/${job.id}/progress`);
      dispatchEvent(new HashChangeEvent('hashchange'));
    }));
  }
  if (['succeeded', 'failed', 'cancelled'].includes(job.state)) {
    buttons.push(h('a', { class: 'button', href: `#/compare?jobs=${job.id}` }, 'Compare'));
    buttons.push(act('Remove', async () => {
      if (!await confirm('Remove this job?',
        'Its verdict, findings and purified model are deleted. Model and data set stay.', 'Remove it', 'Keep it')) return;
      await remove();
    }, { danger: true }));
  }
  return buttons;
}
