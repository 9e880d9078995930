// Names of models and data sets, asked for once.
import { get, probe } from './api.js';

const known = new Map();

/** The record of a model or data set; null where it was removed. */
export function record(kind, id) {
  const path = `/v1/${kind}/${id}`;
  if (!known.has(path)) {
    const wanted = probe(path).then((answer) => {
      // An import that is not finished is asked for again next time.
      if (answer.value && answer.value.state !== 'ready') known.delete(path);
      return answer.value ?? null;
    });
    wanted.catch(() => known.delete(path));
    known.set(path, wanted);
  }
  return known.get(path);
}

export async function inputName(kind, id) {
  return (await record(kind, id))?.name ?? `${id} (removed)`;
}

/** How a job calls its classes: label → name. */
export async function classNames(job) {
  const names = new Map();
  const dataset = await record('datasets', job.dataset);
  for (const [index, { name }] of (dataset?.summary?.classes ?? []).entries()) {
    names.set(job.options?.classes?.[name] ?? index, name);
  }
  if (job.verdict?.agreement) names.clear();
  for (const { label, name } of job.verdict?.agreement?.classes ?? []) names.set(label, name);
  for (const { label, name } of job.verdict?.evidence?.classes ?? []) if (name) names.set(label, name);
  return (label) => names.get(label) ?? `class ${label}`;
}

export const job = (id, signal) => get(`/v1/jobs/${id}`, { signal });
