// One slider moves every figure that has a checkpoint. Place, checkpoint and filter are kept in the fragment.
(() => {
  "use strict";
  const slider = document.getElementById("moment");
  const filter = document.getElementById("filter");
  const order = [...document.querySelectorAll("#checkpoints option")].map((option) => option.dataset.name);
  const index = (figure) => order.indexOf(figure.dataset.at);
  const moving = [...document.querySelectorAll(".moving")].map((group) => {
    const others = group.querySelector("details");
    others.replaceWith(...others.querySelectorAll("figure"));
    const figures = [...group.querySelectorAll("figure")].sort((a, b) => index(a) - index(b));
    group.append(...figures);
    return { figures, note: group.querySelector(".elsewhere") };
  });
  const current = (target) => target?.closest(".moving")?.querySelector("figure:not([data-off])") || target;
  let now = Number(slider?.value);
  let place, waiting, playing;

  // Each figure shows the checkpoint chosen, or the nearest before it that it is drawn at.
  const move = (to) => {
    now = Math.max(0, Math.min(order.length - 1, to));
    for (const { figures, note } of moving) {
      const shown = figures.findLast((figure) => index(figure) <= now) || figures[0];
      for (const figure of figures) figure.toggleAttribute("data-off", figure !== shown);
      if (note) note.hidden = index(shown) === now;
    }
    const words = document.querySelectorAll("#checkpoints option")[now].label;
    slider.value = now;
    slider.setAttribute("aria-valuetext", words);
    document.getElementById("said").textContent = words;
    document.dispatchEvent(new Event("moved"));
    remember();
  };
  const remember = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const target = current(document.getElementById(place));
      const rest = new URLSearchParams();
      if (slider && target?.dataset.at !== order[now]) rest.set("at", order[now]);
      if (filter.value) rest.set("only", filter.value);
      history.replaceState(null, "", `#${[encodeURIComponent(target?.id || ""), ...(rest.size ? [rest] : [])].join("&")}`);
      const section = target?.closest("section")?.id;
      for (const link of document.querySelectorAll("nav a")) {
        if (link.hash === `#${section}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }, 150);
  };
  const follow = () => {
    const [id, ...rest] = location.hash.slice(1).split("&");
    const asked = new URLSearchParams(rest.join("&"));
    place = decodeURIComponent(id);
    const target = document.getElementById(place);
    if (asked.has("only") || target?.closest("[data-out]")) {
      filter.value = asked.get("only") || "";
      filter.dispatchEvent(new Event("input"));
    }
    const at = order.indexOf(asked.get("at") || target?.dataset.at);
    if (at >= 0) move(at);
    current(target)?.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  document.addEventListener("filtered", remember);
  let scrolled;
  addEventListener("scroll", () => {
    clearTimeout(scrolled);
    scrolled = setTimeout(() => {
      for (const one of document.querySelectorAll("main section, main figure[id]")) {
        const box = one.getBoundingClientRect();
        if (box.height && box.top < innerHeight / 3 && box.bottom > 0) place = one.id;
      }
      remember();
    }, 150);
  });

  if (slider) {
    slider.closest("[hidden]").hidden = false;
    slider.addEventListener("input", () => move(Number(slider.value)));
    document.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const own = event.target.closest("input, .scroll");
      // A field, and what is wider than its frame, has a use of its own for these keys.
      const free = !own || (own.matches(".scroll") && own.scrollWidth <= own.clientWidth + 1);
      if (!step || !free || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      move(now + step);
    });
    const play = document.getElementById("play");
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const stop = () => {
      playing = clearInterval(playing);
      play.setAttribute("aria-pressed", "false");
      play.hidden = still.matches;
    };
    play.addEventListener("click", () => {
      if (playing) return stop();
      play.setAttribute("aria-pressed", "true");
      playing = setInterval(() => (now < order.length - 1 ? move(now + 1) : stop()), 900);
      move(now < order.length - 1 ? now + 1 : 0);
    });
    still.addEventListener("change", stop);
    stop();
    move(now);
    clearTimeout(waiting);
  }
  if (location.hash) follow();
})();
