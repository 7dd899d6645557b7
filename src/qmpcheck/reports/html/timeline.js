/* The timeline of one stream: a drawing that pointers and keys move, and in which events are chosen. */

class Timeline extends Drawing {
  constructor(canvas, onChoose) {
    super(canvas);
    this.onChoose = onChoose;
    this.listen();
  }

  choose(event, quietly = false) {
    this.chosen = event;
    if (event >= 0) {
      const kind = this.stream.kinds[event];
      if (this.rows[kind] < 0) {
        this.filter = "";
        this.allLanes = true;
        this.chooseLanes();
      }
      this.reveal(event);
    }
    this.draw();
    if (!quietly) this.onChoose(event);
  }

  /* Pointers and keys */

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    let moved = false;
    let start = null;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, at(event));
      canvas.setPointerCapture(event.pointerId);
      [moved, start] = [false, { ...at(event), view: { ...this.view } }];
      start.inOverview = start.y < SIZES.overview;
      if (start.inOverview) this.moveTo(start.x);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = at(event);
      if (pointers.size === 2) {
        const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
        const [old, spread] = [Math.abs(before.x - other.x), Math.abs(now.x - other.x)];
        if (old > 8 && spread > 8) this.zoom(old / spread, this.unit((now.x + other.x) / 2));
        moved = true;
      } else if (start.inOverview) {
        this.moveTo(now.x);
      } else if (moved || Math.abs(now.x - start.x) > 4) {
        moved = true;
        const by = ((start.x - now.x) / this.width) * (start.view.to - start.view.from);
        this.look(start.view.from + by, start.view.to + by);
      }
      pointers.set(event.pointerId, now);
    });
    const end = (event) => {
      const was = pointers.delete(event.pointerId);
      if (was && event.type === "pointerup" && !moved && !start.inOverview && !pointers.size) this.chooseAt(at(event));
      if (pointers.size) start = { ...[...pointers.values()][0], view: { ...this.view } };
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      this.zoom(Math.exp(Math.sign(event.deltaY) * 0.25), this.unit(at(event).x));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  moveTo(x) {
    const all = this.extent;
    const middle = all.from + (x / this.fullWidth) * (all.to - all.from);
    const half = (this.view.to - this.view.from) / 2;
    this.look(middle - half, middle + half);
  }

  chooseAt({ x, y }) {
    let [best, least] = [-1, 18]; // pixels: a finger is not exact; an event in another lane counts as 8 farther away
    this.forEachInView((event) => {
      const row = this.rows[this.stream.kinds[event]];
      if (row < 0) return;
      const isInLane = y >= this.top(row) && y < this.top(row) + this.laneHeight;
      const distance = Math.abs(this.x(this.position(event)) - x) + (isInLane ? 0 : 8);
      if (distance < least) [best, least] = [event, distance];
    });
    if (best >= 0) this.choose(best);
  }

  step(by, inLane) {
    const { kinds, lines } = this.stream;
    let next = this.chosen < 0 ? (by > 0 ? Math.max(0, placeOf(lines, 0)) : lines.length - 1) : this.chosen + by;
    const kind = kinds[this.chosen];
    while (inLane && this.chosen >= 0 && next >= 0 && next < lines.length && kinds[next] !== kind) next += by;
    if (next >= 0 && next < lines.length) this.choose(next);
  }

  onKey(event) {
    if (!this.stream || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowRight: () => this.step(1, event.shiftKey), ArrowLeft: () => this.step(-1, event.shiftKey),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.all(),
      a: () => this.pan(-0.5), d: () => this.pan(0.5),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
