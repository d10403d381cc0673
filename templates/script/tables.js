// Tables whose columns sort: up, down, and as they stood.
"use strict";
(() => {
  const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const units = { kB: 1e3, MB: 1e6, GB: 1e9 };
  // A number as the report writes it: thin spaces, a true minus, × 10ⁿ, units; NaN for words.
  const number = (text) => {
    const found = /^[±<]?\s*([−-]?[\d\u2009]*\.?\d+)(?:\s*× 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?\s*(kB|MB|GB)?/.exec(text);
    if (!found) return NaN;
    const power = [...(found[2] || "")].map((c) => (c === "⁻" ? "-" : raised.indexOf(c))).join("");
    const value = found[1].replaceAll("\u2009", "").replace("−", "-");
    return Number(`${value}e${power || 0}`) * (units[found[3]] || 1);
  };
  const cell = (row, column) => {
    let at = 0;
    for (const one of row.cells) {
      at += one.colSpan;
      if (at > column) return one.textContent.trim();
    }
    return "";
  };
  // What has no value stays at the end, whichever way.
  const compare = (a, b, way) => {
    const [none, other] = [a, b].map((text) => !text || text === "–");
    if (none || other) return none - other;
    const [x, y] = [number(a), number(b)];
    return way * (isNaN(x) || isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y);
  };
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (!table.tHead || !body || body.rows.length < 2) continue;
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const way = { ascending: -1, descending: 0 }[head.ariaSort] ?? 1;
        for (const one of heads) one.ariaSort = null;
        head.ariaSort = { 1: "ascending", "-1": "descending" }[way] || null;
        const order = way ? [...rows].sort((a, b) => compare(cell(a, column), cell(b, column), way)) : rows;
        body.append(...order);
      });
    });
  }
})();
