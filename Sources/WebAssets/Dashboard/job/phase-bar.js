// The phases of a job as a bar, with the time that the running one still takes.
import { fill, h } from '../core/dom.js';
import { duration, percent, words } from '../core/format.js';
import { bar as filled } from '../pages/job-row.js';

// About what each takes of a job's time; the server's own estimate of the whole is `progress.fraction`.
const plans = {
  scan: [['boundary_analysis', 0.7], ['detection', 0.2], ['evaluation', 0.1]],
  purify: [
    ['boundary_analysis', 0.28], ['detection', 0.12], ['decoupling', 0.2], ['refinement', 0.3], ['evaluation', 0.1],
  ],
};

export function phaseBar(first) {
  let job = first;
  let live = null;
  const whole = h('div', {
    class: 'overall', role: 'progressbar', 'aria-label': 'The whole job', 'aria-valuemin': 0, 'aria-valuemax': 100,
  });
  const phases = h('ol', { class: 'phases', 'aria-label': 'Phases' });

  const draw = () => {
    const ended = job.state === 'succeeded';
    const fraction = ended ? 1 : job.progress.fraction;
    whole.setAttribute('aria-valuenow', Math.round(fraction * 100));
    fill(whole, h('strong', {}, headline(job, fraction)), h('span', { class: 'quiet' }, remaining(job, live)));
    fill(phases, plans[job.type].map(([phase, share]) => step(phase, share)));
  };
  const step = (phase, share) => {
    const rounds = job.phases.filter((entry) => entry.phase === phase);
    const runs = job.phase === phase && ['running', 'cancelling'].includes(job.state);
    const done = !runs && (job.state === 'succeeded' || rounds.length > 0);
    const seconds = rounds.reduce((sum, entry) => sum + entry.seconds, 0);
    const round = runs && live?.phase === phase && live.round > 0 ? `, round ${live.round}` : '';
    const within = runs && live?.phase === phase ? live.progress : 0;
    const inner = done ? h('span') : filled(within);
    const element = h('li', { class: `phase ${done ? 'done' : runs ? 'runs' : ''}` },
      h('div', { class: 'what' }, words(phase), round),
      h('div', { class: 'bar', 'aria-hidden': 'true' }, inner),
      h('div', { class: 'time' }, runs ? percent(within, 0)
        : done ? (rounds.length ? `${duration(seconds)}${rounds.length > 1 ? `, ${rounds.length} rounds` : ''}` : 'Not needed')
          : 'Waits'));
    element.style.setProperty('--share', share);
    return element;
  };
  draw();
  return {
    element: h('div', { class: 'stack' }, whole, phases),
    update: (next) => { job = next; draw(); },
    progress: (data) => {
      live = data;
      if (job.state === 'running' && data.phase) {
        job = { ...job, phase: data.phase, progress: { ...job.progress, eta_seconds: data.seconds_left } };
      }
      draw();
    },
  };
}

function headline(job, fraction) {
  if (job.state === 'running') return `${percent(fraction, 0)} done`;
  return { queued: 'Waiting for its turn', cancelling: 'Being cancelled', succeeded: 'Finished',
    failed: 'Failed', cancelled: 'Cancelled' }[job.state];
}

function remaining(job) {
  if (job.state === 'running') {
    const left = job.progress.eta_seconds;
    return left === null || left === undefined ? 'Estimating the time left…' : `About ${duration(left)} left in this phase`;
  }
  if (job.started_at && job.finished_at) {
    return `Took ${duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)}`;
  }
  return '';
}
