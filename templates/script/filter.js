// Only the figures and rows of the layers and probes whose names hold what was typed.
(() => {
  const by = (id) => document.getElementById(id);
  const field = by("filter");
  const named = [];
  const names = new Set();
  for (const figure of document.querySelectorAll("figure, .moving")) {
    if (figure.parentElement.matches(".moving")) continue;
    const own = [figure.dataset.layer, figure.dataset.probe].filter(Boolean);
    own.forEach((name) => names.add(name));
    named.push([figure, own.join("\n").toLowerCase()]);
  }
  for (const row of document.querySelectorAll("tbody tr")) {
    const heads = [...(row.closest("table").tHead?.rows[0].cells || [])];
    const k = heads.findIndex((head) => /^(Layer|Probe)$/.test(head.textContent));
    if (k >= 0) named.push([row, row.cells[k].textContent.toLowerCase()]);
  }
  by("names").append(...[...names].sort().map((name) => new Option("", name)));

  const apply = () => {
    const wanted = field.value.trim().toLowerCase();
    const kept = new Set();
    let [figures, rows] = [0, 0];
    for (const [element, words] of named) {
      const out = !words.includes(wanted);
      element.toggleAttribute("data-out", out);
      if (out) continue;
      kept.add(element.closest("section"));
      element.matches("tr") ? rows++ : figures++;
    }
    for (const section of document.querySelectorAll("main > section")) {
      const out = wanted && !kept.has(section);
      section.toggleAttribute("data-out", out);
      document.querySelector(`nav a[href="#${section.id}"]`)?.parentElement.toggleAttribute("data-out", out);
    }
    by("found").textContent = wanted && `figures: ${figures}, rows: ${rows}`;
    document.dispatchEvent(new Event("filtered"));
  };
  field.closest("[hidden]").hidden = false;
  field.addEventListener("input", apply);
})();
