// Brings a file to the service and waits until it has been read.
import { Problem, get } from '../core/api.js';
import { hexadecimal, sha256 } from '../core/digest.js';
import { sendWhole } from './upload-whole.js';
import { pieceBytes, sendPieces } from './upload-pieces.js';

/**
 * Larger files go in pieces, so that an interruption costs one piece. Files that are to be read in a special way
 * (`parameters`) go in one request, the only one that takes them.
 * @param {(stage: string, share: number | null) => void} options.onProgress
 * @returns the record, ready; its SHA-256 was compared with the browser's own where it could compute one.
 */
export async function uploadInput(kind, file, { parameters, signal, onProgress }) {
  if (file.size === 0) throw new Problem({ title: 'The file is empty', fix: 'Choose another file.' }, 0);
  onProgress('Computing the SHA-256', null);
  const digest = await sha256(file);
  signal.throwIfAborted();
  const inPieces = file.size > pieceBytes && [...parameters.keys()].length === 0;
  const send = inPieces ? sendPieces : sendWhole;
  const path = await send(kind, file, {
    digest, parameters, signal, onProgress: (share) => onProgress('Uploading', share),
  });
  onProgress('The service reads the file', null);
  const record = await ready(path, signal);
  const expected = digest && hexadecimal(digest);
  if (expected && record.sha256 !== expected) {
    throw new Problem({
      title: 'The upload is damaged', detail: `The service got ${record.sha256}; the file here is ${expected}.`,
      fix: 'Upload it again.',
    }, 0);
  }
  return { ...record, verified: Boolean(expected) };
}

async function ready(path, signal) {
  for (;;) {
    const record = await get(path, { signal, headers: { Prefer: 'wait=20' } });
    if (record.state === 'ready') return record;
    if (record.state === 'rejected') throw new Problem(record.problem, record.problem.status);
  }
}
