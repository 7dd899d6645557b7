/* Draws what is in view on a canvas: an overview, the machine's state, and a lane for each kind of event.
 *
 * It draws what the checker recorded, and works nothing out.
 */

const SIZES = { overview: 34, gap: 8, machine: 20, lane: 26, narrowLane: 38, axis: 26, labels: 196, mostLabels: 260, end: 36, narrow: 640 };
const MOST_ARCS = 400; // more are a fan in which nothing can be seen: then only those that say something
const MOST_EVENTS = 4000; // of more, each pixel shows how many there are
const LONG_ARC = 4096; // events; longer arcs are looked for apart from those near what is in view
const UNMET = { late: "late", missing: "missing", unpreceded: "missing", present: "missing", pending: "pending" };

class Drawing extends View {
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  measure() {
    const style = getComputedStyle(this.canvas);
    this.font = style.fontFamily;
    this.color = (name) => style.getPropertyValue(`--${name}`).trim();
    this.fullWidth = this.canvas.clientWidth;
    this.isNarrow = this.fullWidth < SIZES.narrow;
    this.left = this.isNarrow ? 0 : this.labelWidth();
    this.width = Math.max(this.fullWidth - this.left - SIZES.end, 1);
    this.laneHeight = this.isNarrow ? SIZES.narrowLane : SIZES.lane;
    this.machineTop = SIZES.overview + SIZES.gap;
    this.lanesTop = this.machineTop + SIZES.machine + 6;
    this.bottom = this.lanesTop + this.lanes.length * this.laneHeight;
    this.height = this.bottom + SIZES.axis;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(this.fullWidth * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.height = `${this.height}px`;
    }
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /* The room for the names of lanes: as much as the longest takes, within bounds. */
  labelWidth() {
    this.pen.font = `12px ${this.font}`;
    const widths = this.lanes.map((kind) => this.pen.measureText(this.stream.names[kind].slice(0, 60)).width + 20);
    return Math.ceil(Math.min(Math.max(SIZES.labels, ...widths), SIZES.mostLabels));
  }

  draw() {
    if (!this.stream || !this.canvas.clientWidth) return;
    const begin = performance.now();
    this.measure();
    const { pen } = this;
    pen.clearRect(0, 0, this.fullWidth, this.height);
    this.drawOverview();
    this.clip(this.left, this.machineTop, this.fullWidth, this.bottom - this.machineTop, () => {
      this.drawLanes();
      this.drawStates();
      this.drawSessions();
      this.drawChosen();
      this.drawEvents();
      this.drawLate();
      this.drawArcs();
      this.drawFindings();
    });
    this.drawLabels();
    this.drawAxis();
    this.canvas.dataset.drawn = (performance.now() - begin).toFixed(1);
  }

  clip(x, y, width, height, draw) {
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(x, y, width, height);
    this.pen.clip();
    draw();
    this.pen.restore();
  }

  /* Call a function with each event in view; by time they may be anywhere in the column, as clocks go back. */
  forEachInView(act) {
    const { from, to } = this.view;
    const { seconds, lines: { length } } = this.stream;
    if (this.byTime) {
      for (let at = 0; at < length; at += 1) if (seconds[at] >= from && seconds[at] <= to) act(at);
      return;
    }
    const end = Math.min(length, Math.ceil(to));
    for (let at = Math.max(0, Math.floor(from)); at < end; at += 1) act(at);
  }

  drawOverview() {
    const { pen, fullWidth } = this;
    const all = this.extent;
    const place = (unit) => ((unit - all.from) / (all.to - all.from)) * fullWidth;
    const key = `${fullWidth} ${this.byTime}`;
    if (this.overviewKey !== key) {
      this.overviewKey = key;
      this.counts = new Uint32Array(Math.ceil(fullWidth) + 1);
      const scale = fullWidth / (all.to - all.from);
      for (let at = 0; at < this.stream.lines.length; at += 1) {
        this.counts[Math.max(0, Math.floor((this.position(at) - all.from) * scale))] += 1;
      }
      this.mostCounted = Math.log1p(this.counts.reduce((most, count) => Math.max(most, count), 1));
    }
    pen.fillStyle = this.color("panel");
    pen.fillRect(0, 0, fullWidth, SIZES.overview);
    pen.fillStyle = this.color("event");
    const room = SIZES.overview - 12;
    this.counts.forEach((count, x) => {
      const height = (Math.log1p(count) / this.mostCounted) * room;
      if (count) pen.fillRect(x, SIZES.overview - 3 - height, 1.5, height);
    });
    for (const [events, color] of [[this.stream.warned, "warning"], [this.stream.failed, "error"]]) {
      pen.fillStyle = this.color(color);
      for (const event of events) pen.fillRect(place(this.position(event)) - 1, 2, 2, 5);
    }
    const [start, end] = [place(this.view.from), place(this.view.to)];
    pen.fillStyle = this.color("veil");
    pen.fillRect(0, 0, start, SIZES.overview);
    pen.fillRect(end, 0, fullWidth - end, SIZES.overview);
    pen.strokeStyle = this.color("accent");
    pen.lineWidth = 1.5;
    pen.strokeRect(Math.max(start, 0.75), 0.75, Math.min(Math.max(end - start, 3), fullWidth - 1.5), SIZES.overview - 1.5);
  }

  drawLanes() {
    this.lanes.forEach((_, row) => {
      if (row % 2) return;
      this.pen.fillStyle = this.color("stripe");
      this.pen.fillRect(this.left, this.top(row), this.fullWidth, this.laneHeight);
    });
  }

  /* The machine's state. Where several share a pixel none has an honest colour: each gets its share of the height. */
  drawStates() {
    const { pen, left, width } = this;
    const { stateEvents, states, starts } = this.stream;
    const { length } = stateEvents;
    const state = (at) => (at < 0 ? "running" : states[at]);
    // A new process runs before its first event.
    const begin = (at) => this.x(!this.byTime && state(at) === "running" && starts.has(stateEvents[at]) ? stateEvents[at] : this.position(stateEvents[at]));
    const first = this.byTime ? -1 : Math.max(-1, placeOf(stateEvents, this.view.from) - 2);
    const end = this.byTime ? length : Math.min(length, placeOf(stateEvents, this.view.to) + 1);
    const last = this.stream.lines.length ? this.x(this.extent.to) : left;
    const spans = [];
    let mixed = null;
    const flush = () => {
      if (!mixed) return;
      let top = this.machineTop;
      for (const state of ["running", "stopped", "suspended", "off"]) {
        const height = (SIZES.machine * mixed.shares[state]) / mixed.total;
        pen.fillStyle = this.color(state);
        pen.fillRect(mixed.x, top, 1, height);
        top += height;
      }
      mixed = null;
    };
    for (let at = first; at < end; at += 1) {
      const start = Math.max(at < 0 ? left : begin(at), left);
      const stop = Math.min(at + 1 < length ? begin(at + 1) : last, left + width);
      if (stop <= start) continue;
      if (stop - start < 1) {
        const x = Math.floor(start);
        if (mixed && mixed.x !== x) flush();
        mixed ??= { x, total: 0, shares: { running: 0, stopped: 0, suspended: 0, off: 0 } };
        mixed.shares[state(at)] += stop - start;
        mixed.total += stop - start;
      } else {
        flush();
        spans.push({ start, stop, state: state(at) });
      }
    }
    flush();
    for (const each of spans) this.drawState(each);
  }

  drawState({ start, stop, state }) {
    const { pen } = this;
    pen.fillStyle = this.color(state);
    pen.fillRect(start, this.machineTop, stop - start, SIZES.machine);
    if (state !== "running" && stop - start > 2) {
      pen.globalAlpha = 0.4;
      pen.fillRect(start, this.lanesTop, stop - start, this.bottom - this.lanesTop);
      pen.globalAlpha = 1;
    }
    this.write(state, start + 6, this.machineTop + 14, stop - start - 12, "ink", true);
  }

  /* A text, if it fits. */
  write(text, x, y, room, color, ifWhole = false) {
    const { pen } = this;
    pen.font = `12px ${this.font}`;
    let shown = text;
    if (pen.measureText(shown).width > room) {
      if (ifWhole) return;
      while (shown.length > 1 && pen.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
      shown += "…";
    }
    pen.fillStyle = this.color(color);
    pen.fillText(shown, x, y);
  }

  drawSessions() {
    const { pen } = this;
    const place = ({ event }) => this.x(this.byTime ? this.position(event) : event);
    const inView = this.stream.sessions.filter((each) => place(each) >= this.left - 1 && place(each) <= this.left + this.width);
    if (inView.length > this.width / 12) return; // too many to be told apart
    for (const session of inView) {
      const [x, { isNew }] = [place(session), session];
      pen.strokeStyle = this.color("pale");
      pen.setLineDash(isNew ? [] : [3, 3]);
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(Math.max(Math.round(x), this.left + 1) - 0.5, this.machineTop);
      pen.lineTo(Math.max(Math.round(x), this.left + 1) - 0.5, this.bottom);
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  drawEvents() {
    const { pen } = this;
    const { kinds } = this.stream;
    const columns = Math.ceil(this.width) + 2;
    const counts = new Uint32Array(columns * this.lanes.length);
    const events = [];
    this.shown = 0;
    const { rows, byTime, view: { from, to } } = this;
    const { seconds } = this.stream;
    const scale = this.width / (to - from);
    this.forEachInView((event) => {
      this.shown += 1;
      const row = rows[kinds[event]];
      if (row < 0) return;
      if (events.length < MOST_EVENTS) events.push(event);
      const x = ((byTime ? seconds[event] : event + 0.5) - from) * scale;
      counts[row * columns + (x > 0 ? x | 0 : 0)] += 1;
    });
    pen.fillStyle = this.color("event");
    const mark = (x, row, width) => pen.fillRect(x, this.top(row) + this.laneHeight - 21, width, 16);
    if (events.length < MOST_EVENTS) {
      for (const event of events) mark(this.x(this.position(event)) - 1.75, this.rows[kinds[event]], 3.5);
      return;
    }
    const most = Math.log1p(counts.reduce((greatest, count) => Math.max(greatest, count), 1));
    counts.forEach((count, cell) => {
      if (!count) return;
      pen.globalAlpha = 0.25 + (0.75 * Math.log1p(count)) / most;
      mark(this.left + (cell % columns), Math.floor(cell / columns), 1);
    });
    pen.globalAlpha = 1;
  }

  drawLate() {
    const { pen } = this;
    if (this.stream.late.length > MOST_ARCS && this.shown > MOST_ARCS) return;
    pen.strokeStyle = pen.fillStyle = this.color("event");
    pen.lineWidth = 1.5;
    for (const { event, happened } of this.stream.late) {
      const end = this.x(this.position(event));
      const start = this.byTime ? end : this.x(happened);
      const y = this.middle(event);
      if (Number.isNaN(y) || end < this.left || start > this.left + this.width) continue;
      pen.setLineDash([2, 3]);
      pen.beginPath();
      pen.moveTo(start + 4, y);
      pen.lineTo(end, y);
      pen.stroke();
      pen.setLineDash([]);
      pen.beginPath();
      pen.arc(start, y, 4, 0, 7);
      pen.stroke();
      if (this.byTime) continue; // by time, an event is where it happened
      pen.beginPath();
      pen.arc(end, y, 4.5, 0, 7);
      pen.fill();
    }
  }

  /* Call a function with each decision whose arc can be in view. */
  forEachDecision(act) {
    const { decisions: { events }, longDecisions } = this.stream;
    let [first, last] = [0, events.length];
    if (!this.byTime) {
      first = placeOf(events, this.view.from - LONG_ARC);
      last = placeOf(events, this.view.to + LONG_ARC);
      for (const at of longDecisions) if (at < first || at >= last) act(at);
    }
    for (let at = first; at < last; at += 1) act(at);
  }

  drawArcs() {
    const { decisions, outcomes } = this.stream;
    const met = [];
    const others = [];
    const chosen = [];
    this.forEachDecision((at) => {
      const [event, response, outcome] = [decisions.events[at], decisions.responses[at], outcomes[decisions.outcomes[at]]];
      if (outcome === "not needed" || (outcome === "met" && response < 0)) return;
      const isChosen = this.chosen >= 0 && (event === this.chosen || response === this.chosen);
      const arcs = isChosen ? chosen : outcome === "met" ? met : others;
      if (arcs.length > MOST_ARCS) return;
      const start = this.x(this.position(event));
      const end = response < 0 ? start : this.x(this.position(response));
      if (Math.max(start, end) < this.left - 40 || Math.min(start, end) > this.left + this.width + 40) return;
      arcs.push({ at, event, response, outcome, start, end, isChosen });
    });
    for (const arcs of [met, others, chosen]) {
      if (arcs.length <= MOST_ARCS || arcs === chosen) for (const arc of arcs) this.drawArc(arc);
    }
  }

  drawArc({ at, event, response, outcome, start, end, isChosen }) {
    const { pen } = this;
    const erratum = this.stream.errata[this.stream.decisions.errata[at]];
    const kind = erratum && outcome !== "met" ? "excused" : UNMET[outcome] || "met";
    const top = this.middle(event);
    const bottom = response < 0 ? top : this.middle(response);
    if (Number.isNaN(top) || Number.isNaN(bottom)) return;
    pen.strokeStyle = pen.fillStyle = this.color(isChosen ? "accent" : kind);
    pen.lineWidth = isChosen || kind !== "met" ? 1.8 : 1.1;
    pen.setLineDash({ late: [5, 3], pending: [2, 3], excused: [7, 3, 2, 3] }[kind] || []);
    pen.beginPath();
    pen.moveTo(start, top);
    if (response < 0) {
      const stop = start + 26;
      pen.lineTo(stop, top);
      pen.stroke();
      pen.setLineDash([]);
      this.drawEnd(kind, stop + 6, top, erratum);
      return;
    }
    if (Math.abs(end - start) < 16) {
      const down = Math.sign(bottom - top) || 1;
      this.pointAt(end, bottom - 9 * down, 0, down);
    } else {
      const bend = (end - start) / 2;
      pen.bezierCurveTo(start + bend, top, end - bend, bottom, end - 3 * Math.sign(bend), bottom);
      this.pointAt(end, bottom, Math.sign(bend), 0);
    }
    if (kind === "excused") this.write(erratum, Math.max(start, end) + 6, bottom - 4, 120, "excused");
  }

  /* End a line that was begun with an arrowhead, which points right, left, down or up. */
  pointAt(x, y, right, down) {
    const { pen } = this;
    if (down) pen.lineTo(x, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x - 7 * right - 4 * down, y - 7 * down - 4 * right);
    pen.lineTo(x - 7 * right + 4 * down, y - 7 * down + 4 * right);
    pen.fill();
  }

  /* What an arc ends in that has no response. */
  drawEnd(kind, x, y, erratum) {
    const { pen } = this;
    if (kind === "missing") {
      pen.beginPath();
      for (const slope of [1, -1]) {
        pen.moveTo(x - 4, y - 4 * slope);
        pen.lineTo(x + 4, y + 4 * slope);
      }
      pen.lineWidth = 2;
      pen.stroke();
    } else if (kind !== "excused" || !this.isNarrow) { // the name of an erratum has no room on a phone
      this.write(kind === "excused" ? erratum : "?", x - 3, y + 4, 150, kind);
    }
  }

  drawFindings() {
    const { pen, width } = this;
    for (const [events, color] of [[this.stream.warned, "warning"], [this.stream.failed, "error"]]) {
      const drawn = new Set();
      pen.fillStyle = this.color(color);
      for (const event of events) {
        const x = this.x(this.position(event));
        const row = this.rows[this.stream.kinds[event]];
        const cell = row * width * 2 + Math.round(x);
        if (row < 0 || x < this.left - 6 || x > this.left + width + 6 || drawn.has(cell)) continue;
        drawn.add(cell);
        const y = this.top(row) + this.laneHeight - 26;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(x - 5, y + 8);
        pen.lineTo(x + 5, y + 8);
        pen.fill();
      }
    }
  }

  drawChosen() {
    if (this.chosen < 0) return;
    const { pen } = this;
    const x = this.x(this.position(this.chosen));
    pen.fillStyle = this.color("chosen");
    pen.fillRect(x - 6, this.machineTop, 12, this.bottom - this.machineTop);
    const y = this.middle(this.chosen);
    if (Number.isNaN(y)) return;
    pen.strokeStyle = this.color("accent");
    pen.lineWidth = 2;
    pen.strokeRect(x - 7, y - 12, 14, 24);
  }

  drawLabels() {
    const { pen, stream } = this;
    pen.fillStyle = this.color("line");
    if (!this.isNarrow) {
      pen.fillRect(this.left - 1, this.machineTop, 1, this.bottom - this.machineTop);
      this.write("machine", 10, this.machineTop + 14, this.left - 20, "pale");
    }
    this.lanes.forEach((kind, row) => {
      const y = this.top(row) + (this.isNarrow ? 12 : 17);
      this.write(stream.names[kind], this.isNarrow ? 6 : 10, y, (this.isNarrow ? this.width : this.left) - 20, "ink");
    });
  }

  drawAxis() {
    const { pen } = this;
    pen.fillStyle = this.color("line");
    pen.fillRect(this.left, this.bottom, this.fullWidth, 1);
    const every = this.byTime ? 120 : 90;
    const step = roundStep(((this.view.to - this.view.from) * every) / this.width, !this.byTime);
    const first = Math.ceil(this.view.from / step) * step;
    for (let tick = first; tick <= this.view.to; tick += step) {
      const unit = this.byTime ? tick : Math.floor(tick) + 0.5;
      const x = this.x(unit);
      if (!this.byTime && unit > this.stream.lines.length) break;
      pen.fillStyle = this.color("pale");
      pen.fillRect(Math.round(x) - 0.5, this.bottom, 1, 5);
      const text = this.byTime ? duration(tick, step) : `line ${ownLine(this.stream, this.stream.lines[Math.floor(unit)])}`;
      const room = pen.measureText(text).width;
      if (x + room / 2 < this.left + this.width) this.write(text, Math.max(x - room / 2, this.left), this.bottom + 18, 1e3, "pale");
    }
  }
}

/* 1, 2 or 5 times a power of ten, not less than this. */
function roundStep(least, isWhole) {
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find((each) => each * power >= least * 0.999) * power;
  return isWhole ? Math.max(1, Math.round(step)) : step;
}

/* Seconds, as precise as the step between them asks for. */
function duration(seconds, step = 0) {
  const size = Math.max(Math.abs(seconds), step);
  const unit = size >= 1 || size === 0 ? ["s", 1] : size >= 1e-3 ? ["ms", 1e3] : ["µs", 1e6];
  const digits = step ? Math.max(0, Math.ceil(-Math.log10(step * unit[1]) - 1e-9)) : 3;
  const number = (seconds * unit[1]).toFixed(Math.min(digits, 9));
  return `${step ? number : Number(number)} ${unit[0]}`;
}
