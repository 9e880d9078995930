// Requests to the REST API. Every failure is a Problem: what is wrong, where, and what to do (RFC 9457).
import { address } from './base.js';
import { askForKey, authorization, forgetKey } from './session.js';

export class Problem extends Error {
  constructor(document, status) {
    super(document.title ?? 'The request failed');
    this.status = status;
    this.code = document.code;
    this.title = document.title ?? 'The request failed';
    this.detail = document.detail;
    this.location = document.location;
    this.fix = document.fix;
  }

  /** What the service answered. */
  static async from(response) {
    const isJSON = response.headers.get('Content-Type')?.includes('json');
    const document = isJSON ? await response.json().catch(() => ({})) : {};
    return new Problem(
      { title: `The service answered ${response.status}`, ...document }, response.status);
  }

  static unreachable() {
    return new Problem({
      title: 'The service does not answer', code: 'unreachable',
      detail: 'It may be restarting, or the network is interrupted.',
      fix: 'The page tries again by itself. If it stays like this, look whether burnd runs.',
    }, 0);
  }
}

/** A response that is 2xx or 304; everything else throws. Asks for a key where one is missing. */
export async function send(path, { method = 'GET', headers = {}, body, signal } = {}) {
  for (;;) {
    let response;
    const sent = authorization();
    try {
      response = await fetch(address(path), { method, headers: { ...headers, ...sent }, body, signal });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw Problem.unreachable();
    }
    if (response.ok) return response;
    const problem = await Problem.from(response);
    if (response.status !== 401) throw problem;
    // Another request may have got a new key in the meantime.
    if (authorization().Authorization === sent.Authorization) {
      forgetKey();
      await askForKey(problem);
    }
  }
}

export async function get(path, options) {
  return (await send(path, options)).json();
}

/** Sends JSON and gives what comes back, if anything does. */
export async function submit(method, path, value, { headers = {}, signal } = {}) {
  const response = await send(path, {
    method, signal, body: value === undefined ? undefined : JSON.stringify(value),
    headers: { ...headers, ...(value === undefined ? {} : { 'Content-Type': 'application/json' }) },
  });
  return response.headers.get('Content-Type')?.includes('json') ? response.json() : null;
}

/** What is there, or the problem that says why it is not (404, 405, 409): results that come with time. */
export async function probe(path, options) {
  try {
    return { value: await get(path, options) };
  } catch (error) {
    if (error instanceof Problem && [404, 405, 409].includes(error.status)) return { missing: error };
    throw error;
  }
}

/** Every item of a listing, page by page. */
export async function* pages(path, { signal, limit = 1000 } = {}) {
  let cursor = null;
  do {
    const listing = new URL(path, location.origin);
    listing.searchParams.set('limit', limit);
    if (cursor) listing.searchParams.set('cursor', cursor);
    const page = await get(listing.pathname + listing.search, { signal });
    yield page.items;
    cursor = page.next_cursor;
  } while (cursor);
}
