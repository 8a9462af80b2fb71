// Presses: told to stores that outlive the button, with the run that was shown when the pointer went down.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  // Who presses a button of a card by the keyboard stays there, though its buttons are drawn anew.
  let resting = null;
  const orders = (target) => target.closest && target.closest(".orders");
  document.addEventListener("pointerdown", () => { resting = null; });
  document.addEventListener("focusin", (event) => {
    const group = orders(event.target);
    resting = group ? { id: group.id, at: Array.from(group.children).indexOf(event.target) } : null;
  });
  new MutationObserver(() => {
    if (!resting || (document.activeElement && document.activeElement !== document.body)) return;
    const group = document.getElementById(resting.id);
    const next = group && group.children[Math.min(resting.at, group.children.length - 1)];
    if (next) next.focus();
  }).observe(document.documentElement, { childList: true, subtree: true });

  // What a button did when the pointer went down is what it does, even where it is redrawn before the pointer comes up.
  let aimed = null;
  const told = (source) => {
    const of = source.closest("[data-run]");
    return { what: source.getAttribute("data-press"), note: source.dataset.note, run: of ? of.dataset.run : document.body.dataset.drawn };
  };
  document.addEventListener("pointerdown", (event) => {
    const source = event.target.closest && event.target.closest("[data-press]");
    aimed = source ? { source, ...told(source) } : null;
  });
  const goLive = () => {
    const thumb = document.querySelector("#timeline [role=slider], .timeline [role=slider]");
    if (thumb) keep("timeline", { value: Number(thumb.getAttribute("aria-valuemax")) });
  };
  document.addEventListener("click", (event) => {
    const source = event.target.closest && event.target.closest("[data-press]");
    if (!source || source.disabled) return;
    const meant = event.detail && aimed && aimed.source === source ? aimed : told(source);
    const what = meant.what;
    const field = document.getElementById("act-note");
    let note = meant.note || (field ? field.value : "");
    if (source.dataset.ask) note = window.prompt(source.dataset.ask, source.dataset.answer || "");
    if (note === null) return;
    const steers = /^(pin|prune|focus|must-have|must-not)\b/.test(what), undoes = /^undo(-last)?\b/.test(what);
    if (what === "live" || steers) goLive(); // acts steer the run as it is now
    if (what === "live") return;
    if (what.startsWith("arena:")) { window.dash_clientside.arena.tell("arena-act", { words: what.split(":") }); return; }
    if (what.startsWith("template:")) { window.dash_clientside.template.press(what); return; }
    if (/^(scope|operation|region|explore)\b/.test(what)) window.dash_clientside.region_acts.tell("region-pressed", { what, note, run: meant.run });
    else keep(steers || undoes ? "steered" : "pressed", { data: { what, at: event.timeStamp, note, run: meant.run } });
    if (field && steers && !meant.note) keep("act-note", { value: "" });
  });

})();
