// Bricks and the candidate under the pointer on the Navigator.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const none = () => window.dash_clientside.no_update;
  let settling = null;
  window.dash_clientside.bricks = {
    dress: (looks) => {
      for (const [name, look] of Object.entries(looks || {})) {
        const brick = document.querySelector(`[data-brick="${name}"]`);
        if (!brick) continue;
        brick.classList.toggle("pinned", look.state === "pinned");
        brick.classList.toggle("pruned", look.state === "pruned");
        brick.classList.toggle("unseen", !look.seen);
        for (const [property, value] of Object.entries(look.bar)) brick.style.setProperty(property, value);
        const text = brick.querySelector(".support");
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
    outline: (scope) => {
      const chosen = new Set(scope ? scope.blocks : []);
      document.querySelectorAll("#template [data-brick]").forEach((brick) => {
        brick.classList.toggle("outlined", chosen.has(brick.getAttribute("data-brick")));
      });
      return none();
    },
    carry: (bricks) => {
      const carried = new Set(bricks || []);
      document.querySelectorAll(".brick").forEach((brick) => {
        brick.classList.toggle("carried", carried.has(brick.getAttribute("data-brick")));
      });
      return none();
    },
    link: (hover) => {
      const name = hover && hover.points[0].customdata;
      document.querySelectorAll(".brick.linked").forEach((brick) => brick.classList.remove("linked"));
      const brick = name && document.querySelector(`[data-brick="${name}"]`);
      if (brick) brick.classList.add("linked");
      return name ? `pin:${name}` : null;
    },
  };

  let hovered = null;
  // What a click here would do: a brick pins, its × prunes; so do suggestions and the headline's button.
  const steers = '[data-press^="pin:"], [data-press^="prune:"]';
  const tell = (event) => {
    if (!event.target.closest) return;
    const brick = event.target.closest("[data-brick]");
    const button = event.target.closest(steers);
    const name = button ? button.dataset.press : (brick && `pin:${brick.dataset.brick}`) || null;
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
