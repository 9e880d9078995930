// The report as files, for an audit.
import { h } from '../core/dom.js';
import { downloadButton } from '../core/download.js';

export function reportPanel(job, model) {
  const stem = `burn-${model.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9._-]+/g, '-')}-${job.id.slice(-6)}`;
  return h('section', { class: 'panel', 'aria-labelledby': 'report-title' },
    h('h2', { id: 'report-title' }, 'Report'),
    h('p', { class: 'quiet' }, 'Inputs with their hashes, options, seed, versions, verdict, evidence and limits: enough to run ',
      'the job again and to attach to an audit.'),
    h('div', { class: 'actions' },
      downloadButton('Report (HTML)', `/v1/jobs/${job.id}/report?format=html`, `${stem}.html`),
      downloadButton('Report (JSON)', `/v1/jobs/${job.id}/report?format=json`, `${stem}.json`)));
}
