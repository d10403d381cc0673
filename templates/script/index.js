// Search, filter, sort and pick two; without it the page is a plain list of everything.
"use strict";
const by = (id) => document.getElementById(id);
const list = document.querySelector(".reports");
const words = by("words"), run = by("run"), verdict = by("verdict"), sort = by("sort"), newest = by("newest");
const grave = { fail: 0, partial: 1, warn: 2, pass: 3 };
const rows = Array.from(list.children, (item) => ({
  item, data: item.dataset, tick: item.querySelector("input"),
  // Not the numbers: who looks for run 17 does not mean 17 % right.
  text: Array.from(item.querySelectorAll(".what, .judged"), (part) => part.textContent).join(" ").toLowerCase(),
}));
const picked = [];

function key(row, name) {
  if (name === "verdict") return grave[row.data.verdict] ?? 4;
  if (name === "id" || name === "run") return row.data[name];
  return row.data[name] === "" ? null : Number(row.data[name]);
}

function order() {
  const [name, way] = sort.value.split(":");
  const keyed = rows.map((row) => [key(row, name), row]);
  keyed.sort(([a, r], [b, s]) => {
    if (a === b) return r.data.id < s.data.id ? 1 : -1; // among equals the newest first
    if (a === null || b === null) return a === null ? 1 : -1; // what has no value comes last, either way
    return (a < b ? -1 : 1) * Number(way);
  });
  list.append(...keyed.map(([, row]) => row.item));
}

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { item, data, text } of rows) {
    const fits = (!run.value || data.run === run.value) && (!verdict.value || data.verdict === verdict.value)
      && (!newest.checked || "newest" in data) && wanted.every((word) => text.includes(word));
    if (item.hidden === fits) item.hidden = !fits;
    shown += fits;
  }
  by("count").textContent = shown === rows.length ? `${shown} reports` : `${shown} of ${rows.length} reports`;
  by("none").hidden = shown > 0;
}

function pick(row) {
  const place = picked.indexOf(row);
  if (row.tick.checked && place < 0) picked.push(row);
  if (!row.tick.checked && place >= 0) picked.splice(place, 1);
  while (picked.length > 2) picked.shift().tick.checked = false; // a third takes the place of the first
  tell();
}

function tell() {
  const ids = picked.map((row) => row.data.id);
  by("pair").hidden = !ids.length;
  by("chosen").textContent = picked.map((row) => `${row.data.run} (${row.data.id})`).join(" beside ")
    + (ids.length === 1 ? ": pick one more to compare it with." : "");
  const archive = by("pair").dataset.archive;
  by("command").textContent = ids.length === 2 ? `reportgen compare ${ids[0]} ${ids[1]}${archive}` : "";
  by("copy").hidden = ids.length < 2;
  const same = Array.from(document.querySelectorAll(".comparisons li[data-best]"))
    .find((item) => ids.length === 2 && ids.every((id) => item.dataset.of.split(" ").includes(id)));
  const link = same && same.querySelector("a");
  by("there").hidden = !link;
  if (link) by("there").href = link.getAttribute("href");
}

async function copy() {
  const text = by("command").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(by("command"));
    document.execCommand("copy");
  }
  by("copy").textContent = "Copied";
  setTimeout(() => { by("copy").textContent = "Copy"; }, 1500);
}

for (const row of rows) row.tick.parentElement.hidden = false;
list.addEventListener("change", (event) => pick(rows.find((row) => row.tick === event.target)));
words.addEventListener("input", filter);
for (const choice of [run, verdict, newest]) choice.addEventListener("change", filter);
sort.addEventListener("change", order);
by("copy").addEventListener("click", copy);
by("drop").addEventListener("click", () => {
  for (const row of picked.splice(0)) row.tick.checked = false;
  tell();
});
by("tools").addEventListener("submit", (event) => event.preventDefault());
by("tools").hidden = false;
// A browser that comes back fills the form in again.
for (const row of rows) if (row.tick.checked) pick(row);
if (sort.value !== "id:-1") order();
filter();
