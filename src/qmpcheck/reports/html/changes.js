/* The pages about changes between specs: filters, and the story of a change beside the matrix.
 *
 * A .row is about an event; what is in it with data-changes is about changes of it: for each its level, and the
 * clients that it concerns.
 */

const rows = [...document.querySelectorAll(".row")];

function wanted() {
  const value = (id) => byId(id)?.value ?? "";
  return {
    event: value("filter-event").toLowerCase(), level: value("filter-level"), client: value("filter-client"),
    after: value("filter-after") === "" ? -1 : Number(value("filter-after")),
  };
}

function matches(item, { level, client, after }) {
  if (Number(item.dataset.at ?? Infinity) <= after) return false;
  return item.dataset.changes.split("|").some((change) => {
    const [itsLevel, ...clients] = change.split(" ");
    return (!level || level === itsLevel) && (!client || clients.includes(client));
  });
}

/* Show what is wanted; an event without any change is only wanted where nothing is said about changes. */
function filter() {
  const what = wanted();
  const anyChange = !what.level && !what.client && what.after < 0;
  const events = new Set();
  let changes = 0;
  for (const row of rows) {
    const isNamed = row.dataset.event.toLowerCase().includes(what.event);
    let shown = 0;
    for (const item of row.querySelectorAll("[data-changes]")) {
      item.hidden = !matches(item, what);
      shown += item.hidden ? 0 : 1;
    }
    row.hidden = !isNamed || !(shown || anyChange);
    if (row.hidden) continue;
    events.add(row.dataset.event);
    if (row.tagName !== "SECTION") changes += shown;
  }
  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  byId("filter-count").textContent = `${count(events.size, "event")} shown, ${count(changes, byId("story") ? "mark" : "change")}`;
}

/* The story of the change that an address names. */
function showStory() {
  const story = byId("story");
  const article = byId(addressed());
  if (!story || article?.tagName !== "ARTICLE") return;
  story.replaceChildren(...[...article.children].map((child) => child.cloneNode(true)));
  for (const mark of document.querySelectorAll(".mark.chosen")) mark.classList.remove("chosen");
  const mark = document.querySelector(`a.mark[href="#${CSS.escape(article.id)}"]`);
  const marked = [...document.querySelectorAll("a.mark")].find((each) => each.hash === location.hash) ?? mark;
  marked?.classList.add("chosen");
  requestAnimationFrame(() => marked?.scrollIntoView({ block: "nearest", inline: "nearest" }));
}

/* From mark to mark: along a row, or to the nearest in the next row that has one. */
function step(mark, key) {
  const marks = [...document.querySelectorAll("a.mark")].filter((each) => !each.hidden && !each.closest(".row").hidden);
  const at = marks.indexOf(mark);
  if (key === "ArrowRight" || key === "ArrowLeft") return marks[at + (key === "ArrowRight" ? 1 : -1)];
  const down = key === "ArrowDown";
  const others = marks.filter((_, place) => (down ? place > at : place < at));
  const row = (down ? others : others.reverse()).find((each) => each.closest("tr") !== mark.closest("tr"))?.closest("tr");
  const distance = (each) => Math.abs(each.dataset.at - mark.dataset.at);
  return others.filter((each) => each.closest("tr") === row).sort((a, b) => distance(a) - distance(b))[0];
}

/* The newest releases are what most look for: the matrix begins with them in view. */
function showNewest() {
  const matrix = document.querySelector(".matrix")?.parentElement;
  if (matrix) matrix.scrollLeft = matrix.scrollWidth;
}

function choose(mark) {
  history.replaceState(null, "", mark.hash);
  showStory();
}

function begin() {
  if (!byId("filters")) return; // nothing changed
  byId("filters").hidden = false;
  for (const control of byId("filters").querySelectorAll("input, select")) control.addEventListener("input", filter);
  const story = byId("story");
  if (story) {
    story.hidden = false;
    document.addEventListener("click", (event) => {
      const mark = event.target.closest("a.mark");
      if (!mark || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      choose(mark);
      if (matchMedia("(max-width: 1000px)").matches) story.scrollIntoView({ block: "nearest" });
    });
    document.querySelector(".matrix").addEventListener("keydown", (event) => {
      const mark = event.target.closest("a.mark");
      if (!mark || !event.key.startsWith("Arrow")) return;
      event.preventDefault();
      const next = step(mark, event.key);
      if (!next) return;
      next.focus();
      choose(next);
    });
    addEventListener("hashchange", showStory);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, select")) return;
    event.preventDefault();
    byId("filter-event")?.focus();
  });
  filter();
  showNewest();
  showStory();
}

begin();
document.body.dataset.ready = "yes";
