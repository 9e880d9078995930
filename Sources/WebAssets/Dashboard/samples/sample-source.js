// The samples of a job in one order and with one filter: pages that come as far as someone scrolls.
import { get } from '../core/api.js';

const firstPage = 200;
const nextPages = 1000;
/** As many are listed; a filter brings the others into reach. */
export const mostListed = 200_000;

export class SampleSource {
  /** @param {URLSearchParams} query sort and filters, as the API names them. */
  constructor(job, query, signal) {
    this.job = job;
    this.query = query;
    this.signal = signal;
    this.items = [];
    this.cursor = null;
    this.ended = false;
    this.loading = null;
    this.onMore = () => {};
  }

  get count() { return this.items.length; }

  item(index) { return this.items[index] ?? null; }

  /** Loads pages until `index` is there, or the end, or the most that is listed. */
  async reach(index) {
    while (index >= this.items.length && !this.ended) {
      this.loading ??= this.next().finally(() => { this.loading = null; });
      await this.loading;
    }
  }

  async next() {
    const query = new URLSearchParams(this.query);
    query.set('limit', this.cursor ? nextPages : firstPage);
    if (this.cursor) query.set('cursor', this.cursor);
    const page = await get(`/v1/jobs/${this.job}/samples?${query}`, { signal: this.signal });
    for (const item of page.items) this.items.push(item);
    this.cursor = page.next_cursor;
    this.ended = !this.cursor || this.items.length >= mostListed;
    this.onMore();
  }
}
