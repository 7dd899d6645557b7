/* Sort the table of all streams by a column, with a button in the head of each that can be compared. */

const COMPARE = {
  text: new Intl.Collator(undefined, { numeric: true }).compare,
  number: (one, other) => Number(other.replaceAll(",", "")) - Number(one.replaceAll(",", "")),
};

/* Make a table sortable: of numbers the largest come first, and a second press turns the order round. */
function makeSortable(table) {
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, head));
  }
}

function sortBy(table, head) {
  const first = head.dataset.sort === "number" ? "descending" : "ascending";
  const isTurned = head.getAttribute("aria-sort") === first;
  const compare = COMPARE[head.dataset.sort];
  const text = (row) => row.cells[head.cellIndex].firstElementChild?.textContent ?? row.cells[head.cellIndex].textContent;
  const [body] = table.tBodies;
  const rows = [...body.rows].sort((one, other) => compare(text(one), text(other)) * (isTurned ? -1 : 1));
  for (const row of rows) body.append(row);
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  const turned = first === "descending" ? "ascending" : "descending";
  head.setAttribute("aria-sort", isTurned ? turned : first);
}

if (byId("overview")) makeSortable(byId("overview"));
