// Only the figures and rows of the layers and probes whose names hold what was typed.
(() => {
  "use strict";
  const field = document.getElementById("filter");
  const named = [];
  const names = new Set();
  for (const figure of document.querySelectorAll("figure[data-layer], figure[data-probe]")) {
    const own = [figure.dataset.layer, figure.dataset.probe].filter(Boolean);
    own.forEach((name) => names.add(name));
    named.push([figure, own.join("\n").toLowerCase()]);
  }
  for (const row of document.querySelectorAll("tbody tr")) {
    const head = row.closest("table").tHead?.rows[0].cells[0].textContent.trim();
    if (head === "Layer" || head === "Probe") named.push([row, row.cells[0].textContent.toLowerCase()]);
  }
  document.getElementById("names").append(...[...names].sort().map((name) => new Option("", name)));

  const apply = () => {
    const wanted = field.value.trim().toLowerCase();
    const kept = new Set();
    const count = { FIGURE: 0, TR: 0 };
    for (const [element, words] of named) {
      const out = !words.includes(wanted);
      element.toggleAttribute("data-out", out);
      if (out || element.closest("[data-off]")) continue;
      kept.add(element.closest("section"));
      count[element.tagName] += 1;
    }
    for (const section of document.querySelectorAll("main > section")) {
      const out = wanted && !kept.has(section);
      section.toggleAttribute("data-out", out);
      document.querySelector(`nav a[href="#${section.id}"]`)?.parentElement.toggleAttribute("data-out", out);
    }
    document.getElementById("found").textContent = wanted && `figures: ${count.FIGURE}, rows: ${count.TR}`;
    document.dispatchEvent(new Event("filtered"));
  };
  field.closest("[hidden]").hidden = false;
  field.addEventListener("input", apply);
})();
