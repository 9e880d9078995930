// Where the service is for this browser: at the host's top, or below a path where a proxy serves it. A script's own
// address tells: BASE/assets/VERSION/core/base.js.
export const base = new URL('../../..', import.meta.url).pathname.replace(/\/$/, '');

/** The address of one of the service's paths. Links that the service gives have the base already. */
export function address(path) {
  return base && !path.startsWith(`${base}/`) ? base + path : path;
}
