// What happened, in words. Reports of progress replace one another, or they would bury the rest.
import { h } from '../core/dom.js';
import { clock, duration, listed, percent, words } from '../core/format.js';
import { slurmText } from '../pages/job-row.js';

const most = 2000;

function text({ type, data }) {
  switch (type) {
    case 'state': {
      const attempt = data.attempt > 1 ? ` (attempt ${data.attempt})` : '';
      const why = data.problem ? `: ${data.problem.title ?? data.problem.code}. ${data.problem.detail ?? ''}`
        : data.paused ? `, waits: ${words(data.paused).toLowerCase()}` : '';
      return `Job ${data.state}${attempt}${data.slurm ? `. ${slurmText(data.slurm)}` : why}`;
    }
    case 'progress': return data.phase
      ? `${words(data.phase)}${data.round ? `, round ${data.round}` : ''}: ${percent(data.progress, 0)}` : 'Starting';
    case 'phase': return `${words(data.phase)}${data.round ? `, round ${data.round}` : ''} finished in ${duration(data.seconds)}`;
    case 'preliminary': return `Verdict so far: ${data.result}, into ${listed(data.names)}`;
    case 'verdict': return `Verdict: ${data.result}, ${data.poisoned_samples} samples flagged`;
    case 'metrics': return 'Accuracies measured';
    case 'log': return String(data.message ?? data.text ?? '');
    default: return null;
  }
}

export function logView() {
  const list = h('ol', {});
  const element = h('div', { class: 'log', role: 'log', tabindex: 0, 'aria-labelledby': 'log-title' }, list);
  let running = null;
  return {
    element,
    add(event) {
      const line = text(event);
      if (line === null) return;
      const key = event.type === 'progress' ? `${event.data.phase} ${event.data.round}` : null;
      const time = event.time ?? new Date().toISOString();
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
      const row = h('li', { 'data-event': event.id }, h('time', { datetime: time }, clock(time)), h('span', {}, line));
      if (key && running?.key === key) running.row.replaceWith(row);
      else list.append(row);
      running = key ? { key, row } : null;
      while (list.children.length > most) list.firstElementChild.remove();
      if (atEnd) element.scrollTop = element.scrollHeight;
    },
  };
}
