// A figure in a dialog, its pixels large; the map under the pointer larger still, with its name, minimum and maximum.
(() => {
  const dialog = document.getElementById("large");
  const [stage, loupe, said, words] = ["stage", "loupe", "said", "words"].map((s) => dialog.querySelector(`.${s}`));
  let shown, tiles, at;

  const point = (one) => {
    if (!one) return;
    at = tiles.indexOf(one);
    const [name, low, high] = one.tile;
    said.textContent = low ? `${name}: min ${low}, max ${high}` : `${name}: no finite value`;
    loupe.setAttribute("viewBox", one.box.join(" "));
    loupe.replaceChildren(one.image.cloneNode());
  };
  const show = (figure) => {
    shown = figure;
    const copy = figure.querySelector("svg, img").cloneNode(true);
    stage.replaceChildren(copy);
    const caption = figure.querySelector("figcaption").cloneNode(true);
    caption.querySelector("button").remove();
    words.replaceChildren(...caption.childNodes);
    tiles = [...copy.querySelectorAll("[data-tiles]")].flatMap((image, k) => {
      const names = JSON.parse(image.dataset.tiles);
      const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name)));
      const wide = w / names.length;
      return names.map((tile, i) => ({ image, k, tile, box: [x + i * wide, y, wide, h] }));
    });
    dialog.querySelector(".aside").hidden = !tiles.length;
    point(tiles[at] || tiles[0]);
  };
  // The map under the pointer, in the figure or in its copy, which has the same pictures in the same order.
  const under = (event, root) => {
    const image = event.target.closest("[data-tiles]");
    const k = [...root.querySelectorAll("[data-tiles]")].indexOf(image);
    const own = tiles.filter((one) => one.k === k);
    const box = image?.getBoundingClientRect();
    return own[Math.floor((own.length * (event.clientX - box?.left)) / box?.width)];
  };
  const open = (event) => {
    if (event.key && (event.key !== "Enter" || event.target.matches("a, button"))) return;
    const figure = event.target.closest("figure .scroll, figure > img, figure .enlarge")?.closest("figure");
    if (!figure) return;
    at = 0;
    show(figure);
    point(under(event, figure));
    dialog.showModal();
  };
  document.documentElement.classList.add("live");
  document.addEventListener("click", open);
  document.addEventListener("keydown", open);
  for (const kind of ["pointermove", "pointerdown"]) {
    stage.addEventListener(kind, (event) => point(under(event, stage)));
  }
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !tiles.length) return;
    event.preventDefault();
    point(tiles[(at + step + tiles.length) % tiles.length]);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest(".close")) dialog.close();
  });
  // The slider moves the figure in the dialog, too.
  document.addEventListener("moved", () => {
    const now = dialog.open && shown.closest(".moving")?.querySelector("figure:not([data-off])");
    if (now) show(now);
  });
})();
