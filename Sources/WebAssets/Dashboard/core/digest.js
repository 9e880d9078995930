// SHA-256 by the browser, which has it on https and on localhost only.

/** More than this is not read into memory at once; such files are checked piece by piece as they go up. */
export const largestWhole = 256 * 2 ** 20;

/** The digest's bytes; null where it cannot be computed here. */
export async function sha256(blob) {
  if (!globalThis.crypto?.subtle || blob.size > largestWhole) return null;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
}

export const base64 = (digest) => btoa(String.fromCharCode(...digest));

export const hexadecimal = (digest) => Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** A key for a request that must not be carried out twice. */
export function uniqueKey() {
  return hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
}
