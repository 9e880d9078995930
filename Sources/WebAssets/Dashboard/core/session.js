// The API key of this browser tab. It is kept in the tab's own storage and forgotten with it.
import { base } from './base.js';

// Another service below another path of the same host has keys of its own.
const slot = `burn-api-key${base}`;
let asking = null;

export function key() {
  return sessionStorage.getItem(slot);
}

export function forgetKey() {
  sessionStorage.removeItem(slot);
}

export function authorization() {
  const token = key();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Asks for a key, once for all requests that wait for it. */
export function askForKey(problem) {
  asking ??= import('./key-dialog.js')
    .then(({ keyDialog }) => keyDialog(problem))
    .then((token) => sessionStorage.setItem(slot, token))
    .finally(() => { asking = null; });
  return asking;
}
