// One slider moves every figure that has a checkpoint. Place, checkpoint and filter are kept in the fragment.
(() => {
  const by = (id) => document.getElementById(id);
  const slider = by("moment");
  const filter = by("filter");
  const options = [...document.querySelectorAll("#checkpoints option")];
  const order = options.map((option) => option.dataset.name);
  const index = (view) => order.indexOf(view.dataset.at);
  // All figures but one a group are text still, inside a noscript: the page opens at once, whatever it holds.
  const moving = [...document.querySelectorAll(".moving")].map((group) => {
    const others = group.querySelector("details");
    const views = [group.querySelector("figure"), ...others.querySelectorAll("noscript")];
    others.remove();
    return { group, views: views.sort((a, b) => index(a) - index(b)), note: group.querySelector(".elsewhere") };
  });
  const current = (target) => target?.closest(".moving")?.querySelector("figure:not([data-off])") || target;
  let now = Number(slider?.value);
  let place, waiting, playing;

  // Each figure shows the checkpoint chosen, or the nearest before it that it is drawn at.
  const move = (to) => {
    now = Math.max(0, Math.min(order.length - 1, to));
    for (const { group, views, note } of moving) {
      const k = Math.max(0, views.findLastIndex((view) => index(view) <= now));
      if (views[k].localName === "noscript") {
        group.insertAdjacentHTML("beforeend", views[k].textContent);
        views[k] = group.lastElementChild;
      }
      views.forEach((view, i) => view.toggleAttribute("data-off", i !== k));
      if (note) note.hidden = index(views[k]) === now;
    }
    const words = options[now].label;
    slider.value = now;
    slider.ariaValueText = words;
    by("said").textContent = words;
    document.dispatchEvent(new Event("moved"));
    remember();
  };
  const remember = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const target = current(by(place));
      const rest = new URLSearchParams();
      if (slider && target?.dataset.at !== order[now]) rest.set("at", order[now]);
      if (filter.value) rest.set("only", filter.value);
      history.replaceState(null, "", `#${[encodeURIComponent(target?.id || ""), ...(rest.size ? [rest] : [])].join("&")}`);
      const section = target?.closest("section")?.id;
      for (const link of document.querySelectorAll("nav a")) {
        link.ariaCurrent = link.hash === `#${section}` ? "true" : null;
      }
    }, 150);
  };
  const follow = () => {
    const [id, ...rest] = location.hash.slice(1).split("&");
    const asked = new URLSearchParams(rest.join("&"));
    place = decodeURIComponent(id);
    const text = moving.flatMap(({ views }) => views).find((view) => view.dataset.id === place);
    const at = order.indexOf(asked.get("at") || (text || by(place))?.dataset.at);
    if (at >= 0) move(at);
    const target = by(place);
    if (asked.has("only") || target?.closest("[data-out]")) {
      filter.value = asked.get("only") || "";
      filter.dispatchEvent(new Event("input"));
    }
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
        if (box.height && box.top < 90 && box.bottom > 0) place = one.id;
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
    const play = by("play");
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const stop = () => {
      playing = clearInterval(playing);
      play.ariaPressed = "false";
      play.hidden = still.matches;
    };
    play.addEventListener("click", () => {
      if (playing) return stop();
      play.ariaPressed = "true";
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
