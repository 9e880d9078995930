// Images behind the API key: fetched, kept as blobs, a few at a time. The newest wish is served first, so that what
// has scrolled out of sight does not hold up what is in view.
import { send } from './api.js';
import { pause } from './stream.js';

const maximumKept = 3000;
const maximumRunning = 5;
const mostTries = 8;
const kept = new Map();
let waiting = [];
let running = 0;

function remember(path, address) {
  kept.set(path, address);
  if (kept.size > maximumKept) {
    const [oldest, old] = kept.entries().next().value;
    kept.delete(oldest);
    URL.revokeObjectURL(old);
  }
}

/** The image; a service that has too many to draw says when to come back. */
async function load({ path, signal }) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await send(path, { signal });
    } catch (error) {
      if (error.status !== 429 || tries >= mostTries) throw error;
      await pause((tries + 1) * 1000, signal);
    }
  }
}

async function serve(wish) {
  running += 1;
  try {
    const response = await load(wish);
    const address = URL.createObjectURL(await response.blob());
    const amplification = Number(response.headers.get('X-Amplification')) || null;
    remember(wish.path, address);
    wish.resolve({ address, amplification });
  } catch (error) {
    wish.reject(error);
  } finally {
    running -= 1;
    next();
  }
}

function next() {
  while (running < maximumRunning && waiting.length) {
    const wish = waiting.pop();
    if (wish.signal?.aborted) wish.reject(new DOMException('not wanted any more', 'AbortError'));
    else serve(wish);
  }
}

/** The image as an address for <img>. */
export function image(path, signal) {
  const address = kept.get(path);
  if (address) {
    kept.delete(path);
    kept.set(path, address);
    return Promise.resolve({ address, amplification: null });
  }
  return new Promise((resolve, reject) => {
    waiting.push({ path, signal, resolve, reject });
    next();
  });
}

/** An image that is there already. */
export const imageAtHand = (path) => kept.get(path) ?? null;
