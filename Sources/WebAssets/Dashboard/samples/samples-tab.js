// All samples of a job as pictures: sort, filter, look closely, judge by hand, export.
import { fill, h } from '../core/dom.js';
import { count, plural } from '../core/format.js';
import { emptyView, missingView, problemView } from '../core/problem-view.js';
import { classNames, record } from '../core/records.js';
import { SampleGrid } from './sample-grid.js';
import { SampleSource, mostListed } from './sample-source.js';
import { filterBar } from './sample-filter.js';
import { samplePanel } from './sample-panel.js';
import { reviewDesk } from './review-desk.js';
import { selectionBar } from './selection-bar.js';

export async function show(container, { job, query, signal }) {
  if (!job.links.samples) {
    fill(container, emptyView('There are no findings yet', h('p', {}, 'They come when the detection is finished. ',
      h('a', { href: `#/jobs/${job.id}/progress` }, 'Follow the progress'))));
    return;
  }
  const [name, dataset] = await Promise.all([classNames(job), record('datasets', job.dataset)]);
  const classes = Array.from({ length: await classCount(job, dataset) }, (_, label) => [label, name(label)]);
  const selected = new Map();
  const status = h('p', { class: 'quiet small', role: 'status' });
  const notice = h('div');
  let source = null;
  let reading = null;

  const grid = new SampleGrid({
    item: (place) => source?.item(place) ?? null,
    reach: (place) => source.reach(place),
    thumbnail: (sample) => `/v1/jobs/${job.id}/samples/${sample.index}/thumbnail`,
    name, isSelected: (index) => selected.has(index), signal,
    onActive: (sample) => { view.classList.remove('alone'); panel.show(sample); },
    onToggle: (places, on) => toggle(places, on),
  });
  const changed = (samples) => {
    for (const sample of samples) if (panel.shown() === sample.index) panel.show(sample);
    grid.draw(true);
    bar.update();
  };
  const desk = reviewDesk(job, { onChange: changed, onProblem: (error) => fill(notice, problemView(error)), signal });
  const panel = samplePanel(job, { name, classes, desk, signal });
  const bar = selectionBar(job, { selected, desk, name, clear: () => { selected.clear(); grid.draw(true); bar.update(); } });
  const view = h('div', { class: 'samples alone' }, grid.element, panel.element);

  function toggle(places, on) {
    for (const place of places) {
      const sample = source.item(place);
      if (!sample) continue;
      if (on || !selected.has(sample.index)) selected.set(sample.index, sample);
      else selected.delete(sample.index);
    }
    grid.draw(true);
    bar.update();
  }

  const load = async (parameters) => {
    reading?.abort();
    reading = new AbortController();
    const own = reading;
    source = new SampleSource(job.id, parameters, AbortSignal.any([signal, own.signal]));
    const current = source;
    fill(notice);
    const expected = expectedTotal(parameters, job, dataset);
    const tell = () => {
      const total = current.ended ? current.count : Math.max(current.count, Math.min(expected ?? 0, mostListed));
      grid.setTotal(total + (current.ended || expected ? 0 : 1));
      status.textContent = current.ended && current.cursor
        ? `The first ${count(mostListed)} samples are listed; a filter brings others into reach.`
        : `${plural(total, 'sample')}${current.ended || expected ? '' : ' or more'}`;
      if (current.ended && current.count === 0) fill(notice, emptyView('No sample matches the filter'));
    };
    current.onMore = tell;
    grid.element.scrollTop = 0;
    grid.active = -1;
    try {
      await current.reach(0);
    } catch (error) {
      if (signal.aborted || own.signal.aborted) return;
      fill(notice, error.status === 409 ? missingView(error, error.title) : problemView(error));
      view.hidden = error.status === 409;
    }
  };
  const filters = filterBar(query, classes, (parameters) => load(parameters));
  fill(container, filters.element, notice, bar.element, view, h('div', { class: 'panel-head' }, status,
    h('p', { class: 'quiet small' }, 'Arrow keys move, Space selects, Shift extends, A, R and C judge.')));
  grid.element.addEventListener('keydown', (event) => panel.shortcut(event));
  await Promise.all([load(filters.parameters()), desk.load()]);
}

/** How many samples there will be, where the job tells. */
function expectedTotal(parameters, job, dataset) {
  const filters = [...parameters.keys()].filter((key) => key !== 'sort');
  if (filters.length === 0) return dataset?.summary?.samples ?? null;
  // A purification flags more, and clears some.
  if (filters.length === 1 && parameters.get('flagged') === 'true' && job.type === 'scan') {
    return job.verdict?.poisoned_samples ?? null;
  }
  return null;
}

async function classCount(job, dataset) {
  const model = await record('models', job.model);
  return model?.summary?.classes ?? dataset?.summary?.classes.length ?? 0;
}
