// An upload in one request. XMLHttpRequest, since fetch does not tell how far it is.
import { Problem } from '../core/api.js';
import { address } from '../core/base.js';
import { base64 } from '../core/digest.js';
import { askForKey, authorization, forgetKey } from '../core/session.js';

/** @returns the path of the new model or data set. */
export async function sendWhole(kind, file, { digest, parameters, signal, onProgress }) {
  const query = new URLSearchParams(parameters);
  query.set('name', file.name);
  for (;;) {
    const request = await once(`/v1/${kind}?${query}`, file, digest, signal, onProgress);
    const answer = document(request);
    if (request.status === 201) return `/v1/${kind}/${answer.id}`;
    const problem = new Problem(
      { title: `The service answered ${request.status}`, ...answer }, request.status);
    if (request.status !== 401) throw problem;
    forgetKey();
    await askForKey(problem);
  }
}

function document(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

function once(path, file, digest, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address(path));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    if (digest) request.setRequestHeader('Content-Digest', `sha-256=:${base64(digest)}:`);
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total ? loaded / total : null));
    request.addEventListener('load', () => resolve(request));
    request.addEventListener('error', () => reject(Problem.unreachable()));
    request.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
