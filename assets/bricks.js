// Bricks and the candidate under the pointer on the Navigator.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const none = () => window.dash_clientside.no_update;
  let settling = null;
  // Drawn once a run, and anew where the page was left meanwhile: never replaced under the pointer.
  const make = (name, className, more) => Object.assign(document.createElement(name), { className, ...more });
  const button = (className, word, press, more) => {
    const made = make("button", className, { type: "button", textContent: word });
    for (const [name, value] of Object.entries({ ...press, ...more })) made.setAttribute(name, value);
    return made;
  };
  const brick = ({ at, shown, name, colour, pin, prune }) => {
    const made = make("div", "brick unseen");
    made.dataset.brick = at;
    made.style.setProperty("--op", colour);
    const bar = make("div", "bar");
    bar.append(make("div", "fill"), make("div", "whisker"));
    made.append(
      button("pin", shown, pin, { title: name, "aria-label": `pin ${name}` }),
      button("prune", "×", prune, { "aria-label": `prune ${name}` }),
      bar,
      make("div", "support", { textContent: "unseen" }),
    );
    return made;
  };
  const group = ({ label, columns, bricks }) => {
    const made = make("div", "decision-group"), head = make("div", "decision"), row = make("div", "bricks");
    head.append(`${label} `, make("span", "pinned-word", { textContent: "pinned" }));
    row.style.setProperty("--columns", columns);
    row.append(...bricks.map(brick));
    made.append(head, row);
    return made;
  };
  let built = null;
  const build = (groups) => {
    const place = document.getElementById("template");
    if (!place || !groups || (groups === built && place.firstChild)) return;
    place.replaceChildren(...groups.map(group));
    built = groups;
  };
  window.dash_clientside.bricks = {
    dress: (looks, groups) => {
      build(groups);
      for (const [name, look] of Object.entries(looks || {})) {
        const found = document.querySelector(`[data-brick="${name}"]`);
        if (!found) continue;
        found.classList.toggle("pinned", look.state === "pinned");
        found.classList.toggle("pruned", look.state === "pruned");
        found.classList.toggle("unseen", !look.seen);
        for (const [property, value] of Object.entries(look.bar)) found.style.setProperty(property, value);
        const text = found.querySelector(".support");
        if (text.textContent !== look.text) text.textContent = look.text;
        text.title = look.title;
      }
      return none();
    },
    // Advice waits until nothing was drawn for a while, so that it never stands in the way of an act.
    settle: (drawn) => {
      if (drawn) document.body.dataset.drawn = drawn[0]; // the run that presses are made on, see presses.js
      clearTimeout(settling);
      settling = setTimeout(() => { if (document.getElementById("regions")) keep("settled", { data: drawn }); }, 700);
      return none();
    },
    // Bricks of the blocks chosen by a set of regions.
    outline: (scope, groups) => {
      build(groups);
      const chosen = new Set(scope ? scope.blocks : []);
      document.querySelectorAll("#template [data-brick]").forEach((one) => {
        one.classList.toggle("outlined", chosen.has(one.getAttribute("data-brick")));
      });
      return none();
    },
    carry: (bricks) => {
      const carried = new Set(bricks || []);
      document.querySelectorAll(".brick").forEach((one) => {
        one.classList.toggle("carried", carried.has(one.getAttribute("data-brick")));
      });
      return none();
    },
    link: (hover) => {
      const name = hover && hover.points[0].customdata;
      document.querySelectorAll(".brick.linked").forEach((one) => one.classList.remove("linked"));
      const linked = name && document.querySelector(`[data-brick="${name}"]`);
      if (linked) linked.classList.add("linked");
      return name ? `pin:${name}` : null;
    },
  };

  let hovered = null;
  // What a click here would do: a brick pins, its × prunes; so do suggestions and the headline's button.
  const steers = '[data-press^="pin:"], [data-press^="prune:"]';
  const tell = (event) => {
    if (!event.target.closest) return;
    const over = event.target.closest("[data-brick]");
    const pressing = event.target.closest(steers);
    const name = pressing ? pressing.dataset.press : (over && `pin:${over.dataset.brick}`) || null;
    if (name === hovered || !document.getElementById("nav-map")) return;
    hovered = name;
    keep("hovered", { data: name });
  };
  document.addEventListener("mouseover", tell);
  document.addEventListener("focusin", tell);
  // Rows move while scores arrive: a row is picked when the pointer goes down, not when it comes up elsewhere.
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest && event.target.closest("#candidates .ag-row");
    if (row && event.button === 0) keep("picked", { data: row.getAttribute("row-id") });
  });
})();
