// A resumable upload (tus 1.0): pieces of a few megabytes, each with its own checksum, each repeated from where the
// service is when the connection breaks.
import { Problem, send } from '../core/api.js';
import { base64, sha256 } from '../core/digest.js';
import { pause } from '../core/stream.js';

export const pieceBytes = 4 * 2 ** 20;
const tus = { 'Tus-Resumable': '1.0.0' };
const mostFailures = 8;

/** @returns the path of the new model or data set. */
export async function sendPieces(kind, file, { digest, signal, onProgress }) {
  const query = new URLSearchParams({ kind: kind === 'models' ? 'model' : 'dataset', name: file.name });
  const made = await send(`/v1/uploads?${query}`, {
    method: 'POST', signal, headers: {
      ...tus, 'Upload-Length': String(file.size), ...(digest ? { 'Repr-Digest': `sha-256=:${base64(digest)}:` } : {}),
    },
  });
  const path = new URL(made.headers.get('Location'), location.origin).pathname;
  let offset = 0;
  let failures = 0;
  try {
    while (offset < file.size) {
      try {
        offset = await piece(path, file.slice(offset, offset + pieceBytes), offset, signal);
        failures = 0;
        onProgress(offset / file.size);
      } catch (error) {
        if (signal.aborted || !canBeRepeated(error) || failures >= mostFailures) throw error;
        failures += 1;
        await pause(Math.min(500 * 2 ** failures, 10_000), signal);
        offset = await whereToGoOn(path, offset, signal);
      }
    }
  } catch (error) {
    if (signal.aborted) send(path, { method: 'DELETE', headers: tus }).catch(() => {});
    throw error;
  }
  return finished(path, signal);
}

async function piece(path, bytes, offset, signal) {
  const digest = await sha256(bytes);
  const response = await send(path, {
    method: 'PATCH', signal, body: bytes, headers: {
      ...tus, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset),
      ...(digest ? { 'Upload-Checksum': `sha256 ${base64(digest)}` } : {}),
    },
  });
  return Number(response.headers.get('Upload-Offset'));
}

/** No answer, a service that restarts, a place that moved, a piece damaged on the way (460). */
function canBeRepeated(error) {
  return error instanceof Problem && (error.status === 0 || error.status >= 500
    || [409, 423, 429, 460].includes(error.status));
}

async function whereToGoOn(path, offset, signal) {
  try {
    const answer = await send(path, { signal });
    return (await answer.json()).offset;
  } catch (error) {
    if (canBeRepeated(error)) return offset;
    throw error;
  }
}

async function finished(path, signal) {
  for (;;) {
    const upload = await (await send(path, { signal })).json();
    if (upload.problem) throw new Problem(upload.problem, upload.problem.status);
    if (upload.links.input) return upload.links.input;
    await pause(300, signal);
    signal.throwIfAborted();
  }
}
