// Judgements by hand: kept by the service, so that a purification can follow them.
import { pages, submit, Problem } from '../core/api.js';

const most = 1000;

export function reviewDesk(job, { onChange, onProblem, signal }) {
  const path = `/v1/jobs/${job.id}/reviews`;
  let total = 0;
  return {
    total: () => total,
    async load() {
      try {
        for await (const items of pages(path, { signal })) total += items.length;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
      onChange([]);
    },
    /** @param decision accept, reject, relabel, or null to take it back. */
    async put(samples, decision, label) {
      try {
        for (let start = 0; start < samples.length; start += most) {
          const items = samples.slice(start, start + most).map(({ index }) => (
            decision === 'relabel' ? { index, decision, label } : { index, decision }));
          await submit('PUT', path, { items });
        }
        for (const sample of samples) {
          if (!sample.review && decision) total += 1;
          if (sample.review && !decision) total -= 1;
          sample.review = decision ? { decision, label: decision === 'relabel' ? label : null } : null;
        }
        onChange(samples);
      } catch (error) {
        if (!signal.aborted) onProblem(error);
      }
    },
  };
}
