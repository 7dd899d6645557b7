/* The page of a gate: filters its scenarios. The timeline is that of streams.js. */

function filterScenarios() {
  const text = byId("filter-text").value.toLowerCase();
  const result = byId("filter-result").value;
  let shownNow = 0;
  const scenarios = [...document.querySelectorAll(".scenario")];
  for (const each of scenarios) {
    const isWanted = each.textContent.toLowerCase().includes(text) && (!result || each.dataset.result === result);
    each.hidden = !isWanted;
    shownNow += isWanted ? 1 : 0;
  }
  byId("filter-count").textContent = `${shownNow} of ${scenarios.length} shown`;
}

if (byId("filters")) {
  byId("filters").hidden = false;
  byId("filter-text").addEventListener("input", filterScenarios);
  byId("filter-result").addEventListener("input", filterScenarios);
  filterScenarios();
}
