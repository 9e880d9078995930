// A grid of thousands of samples of which only those in view exist. Rows are recycled: scrolling makes no elements.
import { h, newID } from '../core/dom.js';
import { imageAtHand, image } from '../core/images.js';
import { fillTile, makeTile } from './sample-tile.js';

const rowHeight = 140;
const spareRows = 3;
const tileWidth = 116;

export class SampleGrid {
  /**
   * @param {(index: number) => object} options.item the sample at a place of the list, null while it is not there.
   * @param {(index: number) => Promise} options.reach makes a place be there.
   */
  constructor({ item, reach, thumbnail, name, isSelected, onActive, onToggle, signal }) {
    Object.assign(this, { item, reach, thumbnail, name, isSelected, onActive, onToggle, signal });
    this.total = 0;
    this.columns = 1;
    this.active = -1;
    this.anchor = -1;
    this.rows = [];
    this.space = h('div', { class: 'grid-space', role: 'presentation' });
    this.element = h('div', {
      class: 'grid-view', role: 'listbox', tabindex: 0, 'aria-label': 'Samples', 'aria-multiselectable': 'true',
    }, this.space);
    this.prefix = newID('sample');
    this.element.addEventListener('scroll', () => this.plan(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.element.addEventListener('click', (event) => this.click(event));
    const observer = new ResizeObserver(() => this.layout());
    observer.observe(this.element);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  /** How many there are; of a list that still grows, as many as are known. */
  setTotal(total) {
    this.total = total;
    this.layout();
  }

  layout() {
    const width = this.element.clientWidth;
    if (!width) return;
    this.columns = Math.max(2, Math.floor((width - 8) / tileWidth));
    this.space.style.height = `${Math.ceil(this.total / this.columns) * rowHeight + 8}px`;
    this.makeRows();
    this.draw(true);
  }

  makeRows() {
    const wanted = Math.ceil(this.element.clientHeight / rowHeight) + 2 * spareRows;
    if (this.rows.length === wanted && this.rows[0]?.tiles.length === this.columns) return;
    this.space.replaceChildren();
    this.rows = Array.from({ length: wanted }, () => {
      const tiles = Array.from({ length: this.columns }, () => makeTile());
      const element = h('div', { class: 'grid-row', role: 'presentation' }, tiles.map((tile) => tile.element));
      this.space.append(element);
      return { element, tiles, index: -1 };
    });
  }

  plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => { this.planned = false; this.draw(); });
  }

  draw(all = false) {
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - spareRows);
    for (let offset = 0; offset < this.rows.length; offset += 1) {
      const index = first + offset;
      const row = this.rows[index % this.rows.length];
      if (row.index === index && !all) continue;
      row.index = index;
      row.element.style.transform = `translateY(${index * rowHeight + 8}px)`;
      row.tiles.forEach((tile, column) => this.drawTile(tile, index * this.columns + column));
    }
    const last = Math.min(this.total, (first + this.rows.length) * this.columns) - 1;
    if (last >= 0 && !this.item(last)) this.reach(last).then(() => this.plan(true)).catch(() => {});
    this.loadPictures();
  }

  drawTile(tile, place) {
    const sample = place < this.total ? this.item(place) : null;
    fillTile(tile, place < this.total ? sample : undefined, {
      id: `${this.prefix}-${place}`, place, total: this.total, name: this.name, active: place === this.active,
      selected: sample !== null && this.isSelected(sample.index),
    });
    const path = sample && this.thumbnail(sample);
    if (tile.path === path) return;
    tile.path = path;
    tile.waits?.abort();
    tile.waits = null;
    const address = path && imageAtHand(path);
    if (address) tile.picture.src = address;
    else tile.picture.removeAttribute('src');
  }

  /** Asks for pictures once the scrolling has come to rest for a moment. */
  loadPictures() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const { tiles } of this.rows) {
        for (const tile of tiles) {
          if (!tile.path || tile.picture.hasAttribute('src') || tile.waits) continue;
          const waits = new AbortController();
          tile.waits = waits;
          const { path } = tile;
          image(path, AbortSignal.any([waits.signal, this.signal])).then(({ address }) => {
            if (tile.path === path) tile.picture.src = address;
          }).catch(() => {}).finally(() => { if (tile.waits === waits && tile.path !== path) tile.waits = null; });
        }
      }
    }, 60);
  }

  click(event) {
    const tile = event.target.closest('.tile');
    if (!tile?.dataset.place) return;
    const place = Number(tile.dataset.place);
    if (event.shiftKey && this.anchor >= 0) this.onToggle(range(this.anchor, place), true);
    else if (event.ctrlKey || event.metaKey) this.onToggle([place]);
    this.activate(place);
  }

  key(event) {
    const perPage = Math.max(1, Math.floor(this.element.clientHeight / rowHeight)) * this.columns;
    const moves = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns, PageDown: perPage, PageUp: -perPage,
      Home: -Infinity, End: Infinity,
    };
    if (event.key === ' ') {
      event.preventDefault();
      if (this.active >= 0) this.onToggle([this.active]);
      return;
    }
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = this.active;
    const place = from < 0 ? 0 : Math.min(Math.max(from + moves[event.key], 0), this.total - 1);
    if (event.shiftKey && from >= 0 && Number.isFinite(place)) this.onToggle(range(from, place), true);
    this.activate(place, true);
  }

  async activate(place, scroll = false) {
    if (place < 0 || place >= this.total) return;
    this.active = place;
    if (scroll) {
      const top = Math.floor(place / this.columns) * rowHeight;
      const { scrollTop, clientHeight } = this.element;
      if (top < scrollTop) this.element.scrollTop = top;
      if (top + rowHeight + 8 > scrollTop + clientHeight) this.element.scrollTop = top + rowHeight + 8 - clientHeight;
    }
    if (!this.item(place)) await this.reach(place);
    this.anchor = place;
    this.draw(true);
    this.element.setAttribute('aria-activedescendant', `${this.prefix}-${place}`);
    const sample = this.item(place);
    if (sample && this.active === place) this.onActive(sample, place);
  }
}

function range(from, to) {
  const [low, high] = from < to ? [from, to] : [to, from];
  return Array.from({ length: high - low + 1 }, (_, offset) => low + offset);
}
