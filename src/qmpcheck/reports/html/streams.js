/* The page of recorded streams: wires the timeline to its buttons, the findings and the address. */

const streams = new Map(JSON.parse(byId("data").textContent).map((data) => [data.id, data]));
const loaded = new Map();
let shown = null;
let timeline = null;

/* What a stream's columns hold, ready to be drawn. */
async function load(data) {
  const column = (name) => integers(data[name]);
  const [kinds, lines, times, stateEvents, states, lateEvents, late] = await Promise.all(
    ["kinds", "lines", "times", "stateEvents", "states", "lateEvents", "late"].map(column),
  );
  const decided = {};
  for (const [name, packed] of Object.entries(data.decisions)) decided[name] = await integers(packed);
  const stream = {
    ...data, kinds, lines, times, decisions: decided, seconds: new Float64Array(lines.length), span: 0,
    sessions: data.sessions.map(([event, isNew]) => ({ event, isNew: Boolean(isNew) })),
    stateEvents, states: Array.from(states, (state) => data.stateNames[state]),
    starts: new Set(data.sessions.map(([event]) => event)),
    late: Array.from(lateEvents, (event, at) => ({ event, happened: late[at] })),
    longDecisions: [],
  };
  setSeconds(stream);
  decided.events.forEach((event, at) => {
    if (Math.abs(decided.responses[at] - event) > LONG_ARC) stream.longDecisions.push(at);
  });
  const ofLevel = (least, most) => stream.findings.filter(([, , level]) => level >= least && level <= most);
  const places = (findings) => findings.map(([line, name]) => eventOn(stream, line, name)).sort((a, b) => a - b);
  stream.failed = Float64Array.from(places(ofLevel(2, 2)));
  stream.warned = Float64Array.from(places(ofLevel(0, 1)));
  stream.marked = Float64Array.from(new Set([...stream.failed, ...stream.warned])).sort();
  stream.important = new Float64Array(stream.names.length);
  for (const event of stream.marked) stream.important[kinds[event]] = 2;
  for (const event of decided.events) stream.important[kinds[event]] ||= 1;
  return stream;
}

/* Seconds since the first event with a clock; one without a clock is where the one before it is. */
function setSeconds(stream) {
  const { times, seconds } = stream;
  const first = times.find((time) => time !== -1) ?? 0;
  let earliest = 0;
  let before = 0;
  times.forEach((time, at) => {
    before = time === -1 ? before : (time - first) / 1e6;
    seconds[at] = before;
    earliest = Math.min(earliest, before);
  });
  stream.origin = first + earliest * 1e6;
  seconds.forEach((value, at) => {
    seconds[at] = value - earliest;
    stream.span = Math.max(stream.span, value - earliest);
  });
}

/* The event on a line; in a log a line may hold several, with different names. Else the next one. */
function eventOn(stream, line, name) {
  const first = Math.min(placeOf(stream.lines, line), stream.lines.length - 1);
  for (let at = first; stream.lines[at] === line; at += 1) {
    if (stream.names[stream.kinds[at]] === name) return at;
  }
  return first;
}

async function show(id) {
  const data = streams.get(id);
  if (!data?.lines) return null;
  if (!loaded.has(id)) loaded.set(id, await load(data));
  const stream = loaded.get(id);
  if (shown !== stream) {
    shown = stream;
    byId("timeline").hidden = false;
    byId("stream-name").textContent = streams.size > 1 ? data.name : "";
    timeline.show(stream);
    describe(-1);
    layOut();
  }
  return stream;
}

/* More lanes than fit on a screen beside the findings scroll with the page. */
function layOut() {
  timeline.draw();
  const { hiddenLanes } = timeline;
  byId("all-lanes").hidden = !hiddenLanes;
  byId("all-lanes").textContent = `${hiddenLanes} more lanes`;
  const section = byId("timeline");
  const above = byId("detail").offsetTop - section.offsetTop;
  section.classList.toggle("tall", above + 200 > innerHeight * 0.8);
  // Of the chosen event, all is shown that leaves some room for the findings below.
  section.style.setProperty("--detail", `${Math.max(190, innerHeight * 0.85 - above)}px`);
  setStickyHeight();
}

/* What is scrolled to comes below the timeline. */
function setStickyHeight() {
  document.documentElement.style.setProperty("--sticky", `${byId("timeline").offsetHeight + 12}px`);
}

/* An element with text in it; its parts are texts or elements. */
function element(tag, className, ...parts) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...parts);
  return made;
}

/* Let lines break between words, but not inside of a date or an option: as the filter `whole` of page.py. */
function keepWhole(paragraph) {
  const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(/(\s+)/).map((part) => (
      part.length <= 24 && /-|\w[._:]+\w/.test(part) ? element("span", "whole", part) : part
    ));
    text.replaceWith(...parts);
  }
}

function describe(event) {
  const detail = byId("detail");
  detail.replaceChildren();
  if (event < 0) {
    detail.append(element("p", "pale", "Choose an event: click on it, or press → in the timeline."));
    return;
  }
  const { names, kinds, lines, times } = shown;
  const parts = [lineName(lines[event])];
  if (times[event] !== -1) parts.push(`${moment(times[event])} UTC`);
  if (event && times[event] !== -1 && times[event - 1] !== -1) {
    const gap = (times[event] - times[event - 1]) / 1e6;
    parts.push(`${duration(Math.abs(gap))} ${gap < 0 ? "before" : "after"} the event before it`);
  }
  detail.append(element("p", "", element("b", "", names[kinds[event]]), ` · ${parts.join(" · ")}`));
  detail.append(excerpt(lines[event]));
  for (const late of shown.late) {
    if (late.event === event) {
      detail.append(element("p", "", `Sent late, as its rate is limited: it happened before ${lineName(lines[late.happened])}.`));
    }
  }
  detail.append(...decisions(event), ...findings(event));
  for (const paragraph of detail.querySelectorAll("p")) keepWhole(paragraph);
  detail.scrollTop = 0;
  setStickyHeight();
}

/* A line, where several files were joined with the file that it is in. */
function lineName(line) {
  const [file] = fileOf(shown, line);
  return `${file}${file && ", "}line ${ownLine(shown, line)}`;
}

/* The line with its neighbours. */
function excerpt(line) {
  const pre = element("pre", "");
  for (const number of [line - 1, line, line + 1]) {
    const text = shown.text[number];
    if (text !== undefined) pre.append(element("span", "", `${ownLine(shown, number)}`), element("span", number === line ? "here" : "", text));
  }
  return pre.childElementCount ? pre : element("p", "pale", "This line is not in the page.");
}

const OUTCOMES = {
  met: "met", "not needed": "no response needed: the machine was stopped", late: "late", missing: "missing",
  pending: "pending: the stream ends before it is known", unpreceded: "nothing came before it", present: "must not come",
};

/* What was decided about an event, and about triggers that it answers, with a way to the other one. */
function decisions(event) {
  const { decisions: decided, outcomes, rules, errata, names, kinds, lines } = shown;
  const made = [];
  const jump = (text, to) => {
    const button = element("button", "", text);
    button.type = "button";
    button.addEventListener("click", () => timeline.choose(to));
    return button;
  };
  const name = (at) => `${names[kinds[at]]}, ${lineName(lines[at])}${after(event, at)}`;
  for (let at = placeOf(decided.events, event); decided.events[at] === event; at += 1) {
    const outcome = outcomes[decided.outcomes[at]];
    const erratum = errata[decided.errata[at]];
    const rule = rules[decided.rules[at]];
    const level = erratum ? "note" : UNMET[outcome] ? (outcome === "pending" ? "pending" : "error") : "";
    const row = element("p", "", element("b", level, OUTCOMES[outcome]), `: ${rule.text} `);
    if (rule.place) row.append(element("span", "pale", `(${rule.place}) `));
    if (erratum) row.append(`known erratum ${erratum} `);
    if (decided.responses[at] >= 0) row.append(jump(`response: ${name(decided.responses[at])}`, decided.responses[at]));
    made.push(row);
  }
  const triggers = [];
  decided.responses.forEach((response, at) => {
    if (response === event && triggers.length < 5) triggers.push(decided.events[at]);
  });
  if (triggers.length) made.push(element("p", "", ...triggers.map((to) => jump(`answers ${name(to)}`, to))));
  return made;
}

function after(event, other) {
  const { times } = shown;
  if (times[event] === -1 || times[other] === -1) return "";
  const gap = (times[other] - times[event]) / 1e6;
  return `, ${duration(Math.abs(gap))} ${gap < 0 ? "earlier" : "later"}`;
}

function findings(event) {
  return shown.shown
    .filter(([line, name]) => line === shown.lines[event] && eventOn(shown, line, name) === event)
    .map(([, , level, code, message, id]) => {
      const link = element("a", "", code);
      link.href = `#${id}`;
      return element("p", "", element("b", ["note", "warning", "error"][level], ["note", "warning", "error"][level]), " ", link, ` ${message}`);
    });
}

function moment(time) {
  const date = new Date(Math.floor(time / 1e6) * 1000);
  const second = Number.isNaN(date.getTime()) ? `${Math.floor(time / 1e6)} s` : date.toISOString().slice(0, 19).replace("T", " ");
  return `${second}.${String(((time % 1e6) + 1e6) % 1e6).padStart(6, "0")}`;
}

/* Go to the next or the previous event with a finding. */
function stepFinding(by) {
  const { marked } = shown;
  const from = timeline.chosen < 0 ? (by > 0 ? -1 : Infinity) : timeline.chosen;
  const at = by > 0 ? placeOf(marked, from + 1) : placeOf(marked, from) - 1;
  if (at < 0 || at >= marked.length) return;
  timeline.choose(marked[at]);
  const finding = shown.shown.find(([line, name]) => eventOn(shown, line, name) === marked[at]);
  if (finding) outline(byId(finding[5]));
}

/* Outline a finding, in view and with its group open. */
function outline(item) {
  for (const other of document.querySelectorAll("li.chosen")) other.classList.remove("chosen");
  item.classList.add("chosen");
  item.closest("details").open = true;
  item.scrollIntoView({ block: "nearest" });
}

/* An address: #s0 is a stream, #s0L21 a line of it, #s0f1-2 a finding. */
async function follow() {
  const address = addressed();
  const [, id, line] = /^(s\d+(?:m\d+)?)(?:L(\d+))?(?:f.*)?$/.exec(address) || [];
  if (!id) return;
  const stream = await show(id);
  const item = byId(address);
  if (item?.tagName === "LI") {
    const at = stream?.shown.find((finding) => finding[5] === address);
    if (at) timeline.choose(eventOn(stream, at[0], at[1]));
    outline(item);
  } else if (line && stream) {
    timeline.choose(eventOn(stream, Number(line), ""));
    byId("timeline").scrollIntoView({ block: "nearest" });
  } else {
    for (const group of [...document.querySelectorAll(`#${id} details.group`)].slice(0, 3)) group.open = true;
  }
}

function setAxis(byTime) {
  byId("by-order").setAttribute("aria-pressed", `${!byTime}`);
  byId("by-time").setAttribute("aria-pressed", `${byTime}`);
  timeline.setAxis(byTime);
}

function begin() {
  timeline = new Timeline(byId("canvas"), describe);
  const act = (id, action) => byId(id).addEventListener("click", action);
  act("by-order", () => setAxis(false));
  act("by-time", () => setAxis(true));
  act("zoom-in", () => timeline.zoom(0.5));
  act("zoom-out", () => timeline.zoom(2));
  act("show-all", () => timeline.all());
  act("previous", () => stepFinding(-1));
  act("next", () => stepFinding(1));
  act("all-lanes", () => { timeline.showAllLanes(); layOut(); });
  byId("lanes").addEventListener("input", (event) => { timeline.setFilter(event.target.value); layOut(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.line");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      history.replaceState(null, "", `#${link.closest("li").id}`);
      follow();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (!shown || event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      n: () => stepFinding(1), p: () => stepFinding(-1), o: () => setAxis(false), t: () => setAxis(true),
      "/": () => byId("lanes").focus(), "?": () => { document.querySelector(".keys").open ^= true; },
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  for (const button of document.querySelectorAll(".show-timeline")) {
    button.hidden = !streams.get(button.dataset.stream)?.lines;
    button.addEventListener("click", async () => {
      await show(button.dataset.stream);
      byId("timeline").scrollIntoView({ block: "nearest" });
    });
  }
  addEventListener("hashchange", follow);
  addEventListener("resize", () => { if (shown) layOut(); });
}

async function start() {
  if (!byId("canvas")) return;
  begin();
  if (streams.size === 1) await show([...streams.keys()][0]);
  await follow();
}

start().finally(() => { document.body.dataset.ready = "yes"; });
