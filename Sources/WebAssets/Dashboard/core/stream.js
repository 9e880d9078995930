// Server-sent events by fetch, which (unlike EventSource) can send the API key.
import { Problem, send } from './api.js';

const longestWait = 8000;

/**
 * Gives every event once, in order, over as many connections as it takes. A new one goes on after the last event
 * that came (Last-Event-ID).
 * @param {string} path
 * @param {{after: number, signal: AbortSignal, onEvent: Function, onLink: Function, isOver: Function}} options
 *   onLink is told 'open', 'waiting' or 'closed'; isOver says whether a stream that ended has nothing to follow.
 */
export async function follow(path, { after = 0, signal, onEvent, onLink, isOver }) {
  let last = after;
  let wait = 500;
  while (!signal.aborted) {
    try {
      const response = await send(path, {
        signal, headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(last) },
      });
      onLink('open');
      for await (const event of events(response.body)) {
        if (Number(event.id) <= last) continue;
        last = Number(event.id);
        wait = 500;
        onEvent({ id: last, type: event.type, data: JSON.parse(event.data) });
      }
      if (await isOver()) {
        onLink('closed');
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) {
        onLink('closed');
        throw error;
      }
    }
    onLink('waiting');
    await pause(wait, signal);
    wait = Math.min(wait * 2, longestWait);
  }
}

/** The events of a stream (WHATWG HTML, section 9.2); comments and unknown fields are passed over. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let event = { id: '', type: 'message', data: [] };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (event.data.length) yield { ...event, data: event.data.join('\n') };
        event = { id: event.id, type: 'message', data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const text = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') event.data.push(text);
      if (field === 'event') event.type = text;
      if (field === 'id') event.id = text;
    }
  }
}

export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
