// Loss, accuracy and agreement over steps, one chart a name, one line a phase and round.
import { probe } from '../core/api.js';
import { fill, h } from '../core/dom.js';
import { words } from '../core/format.js';
import { emptyView, missingView } from '../core/problem-view.js';
import { lineChart } from '../charts/line-chart.js';

const notes = {
  loss: 'How badly the model fits the corrected data; lower is better.',
  accuracy: 'On trusted samples that no training touched.',
  agreement: 'How often the original and the sanitised model say the same.',
};
const most = 400;

/** The series of a job, drawn at most a few times a second. */
export function curves(id) {
  const element = h('div', { class: 'columns' });
  const series = new Map();
  let missing = null;
  let planned = false;

  const draw = () => {
    planned = false;
    const names = [...new Set([...series.values()].map(({ name }) => name))];
    if (names.length === 0) {
      fill(element, missing ? missingView(missing, 'There are no curves of this job')
        : emptyView('No curves yet', h('p', {}, 'They come while the model is retrained, in decoupling and refinement.')));
      return;
    }
    fill(element, names.map((name) => {
      const lines = [...series.values()].filter((entry) => entry.name === name);
      return lineChart({
        title: words(name), note: notes[name], share: /accuracy|agreement|asr|rate/.test(name),
        series: lines.map(({ phase, round, points }) => ({
          name: round ? `${words(phase)}, round ${round}` : words(phase), points })),
      });
    }));
  };
  const plan = () => {
    if (planned) return;
    planned = true;
    setTimeout(draw, 250);
  };
  return {
    element,
    async load(signal) {
      const answer = await probe(`/v1/jobs/${id}/curves`, { signal });
      missing = answer.missing ?? null;
      const items = Array.isArray(answer.value) ? answer.value : answer.value?.items ?? [];
      for (const entry of items) series.set(`${entry.name} ${entry.phase} ${entry.round}`, { ...entry });
      draw();
    },
    /** One point, or several at once. */
    add(data) {
      for (const { phase, round, name, step, value } of [data].flat()) {
        const key = `${name} ${phase} ${round}`;
        if (!series.has(key)) series.set(key, { phase, round, name, points: [] });
        const { points } = series.get(key);
        if (points.length && points.at(-1)[0] >= step) continue;
        points.push([step, value]);
        if (points.length > most) series.get(key).points = points.filter((_, index) => index % 2 === 0);
      }
      plan();
    },
  };
}
