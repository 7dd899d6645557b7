/* What of a stream is in view: which part of it, by order or by time, and which lanes.
 *
 * Units are events (by order) or seconds (by time).
 */

const MOST_LANES = 20;

class View {
  constructor() {
    this.byTime = false;
    this.filter = "";
    this.allLanes = false;
    this.stream = null;
  }

  show(stream) {
    this.stream = stream;
    this.chosen = -1;
    this.overviewKey = "";
    this.chooseLanes();
    this.all();
  }

  get extent() {
    if (!this.byTime) return { from: 0, to: Math.max(this.stream.lines.length, 1) };
    const { seconds, span } = this.stream;
    const margin = span * 0.02 || 0.001;
    return { from: -margin, to: (seconds.length ? span : 0) + margin };
  }

  position(event) {
    return this.byTime ? this.stream.seconds[event] : event + 0.5;
  }

  x(unit) {
    const { from, to } = this.view;
    return this.left + ((unit - from) / (to - from)) * this.width;
  }

  unit(x) {
    const { from, to } = this.view;
    return from + ((x - this.left) / this.width) * (to - from);
  }

  look(from, to) {
    const all = this.extent;
    const least = Math.min(this.byTime ? 20e-6 : 6, all.to - all.from);
    const span = Math.min(Math.max(to - from, least), all.to - all.from);
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(middle - span / 2, all.from), all.to - span);
    this.view = { from: start, to: start + span };
    this.draw();
  }

  all() {
    const { from, to } = this.extent;
    this.view = { from, to };
    this.draw();
  }

  /* Around a place, the chosen event if it is in view, or else the middle. */
  zoom(factor, place = NaN) {
    const { from, to } = this.view;
    const chosen = this.chosen < 0 ? NaN : this.position(this.chosen);
    const around = [place, chosen].find((each) => each >= from && each <= to) ?? (from + to) / 2;
    this.look(around - (around - from) * factor, around + (to - around) * factor);
  }

  pan(share) {
    const { from, to } = this.view;
    this.look(from + (to - from) * share, to + (to - from) * share);
  }

  setAxis(byTime) {
    this.byTime = byTime;
    this.overviewKey = "";
    this.all();
    if (this.chosen >= 0) this.reveal(this.chosen);
  }

  /* Have an event in view, with some around it. */
  reveal(event) {
    const at = this.position(event);
    const { from, to } = this.view;
    const span = Math.min(to - from, this.byTime ? Infinity : Math.max(40, this.width / 14));
    if (at < from + (to - from) * 0.05 || at > to - (to - from) * 0.05 || span < to - from) {
      this.look(at - span / 2, at + span / 2);
    }
  }

  /* Lanes */

  chooseLanes() {
    const { names, important } = this.stream;
    const wanted = this.filter.toLowerCase();
    let kinds = names.map((_, kind) => kind).filter((kind) => names[kind].toLowerCase().includes(wanted));
    this.hiddenLanes = 0;
    if (!this.allLanes && kinds.length > MOST_LANES) {
      const first = new Set([...kinds].sort((a, b) => important[b] - important[a] || a - b).slice(0, MOST_LANES));
      this.hiddenLanes = kinds.length - MOST_LANES;
      kinds = kinds.filter((kind) => first.has(kind));
    }
    this.lanes = kinds;
    this.rows = new Int32Array(names.length).fill(-1);
    kinds.forEach((kind, row) => { this.rows[kind] = row; });
  }

  setFilter(text) {
    this.filter = text;
    this.chooseLanes();
    this.draw();
  }

  showAllLanes() {
    this.allLanes = true;
    this.chooseLanes();
    this.draw();
  }

  /* Where a lane is: the top, and the middle of its marks. */
  top(row) {
    return this.lanesTop + row * this.laneHeight;
  }

  middle(event) {
    const row = this.rows[this.stream.kinds[event]];
    return row < 0 ? NaN : this.top(row) + this.laneHeight - 13;
  }
}
