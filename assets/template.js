// The Template page: what is pressed and typed is told one at a time, each once the one before is answered. Fast hands
// and a busy machine thus lose nothing, and what is saved or run is what stands on the page.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const PATIENCE = 15000; // ms after which an answer is no longer waited for: the server may have been restarted
  const HANDOVER = 40; // ms in which Dash hands on what was typed in the field that a press takes the focus from
  const none = () => window.dash_clientside.no_update;
  let waiting = [];
  let asked = null; // number of the act that is being answered
  let told = 0;

  const next = () => {
    while (asked === null && waiting.length) {
      const [store, body] = waiting.shift();
      if (!document.getElementById("template-layers")) return; // the page was left
      const at = ++told;
      if (store === "template-act") {
        asked = at;
        setTimeout(() => answered(at), PATIENCE);
      }
      window.dash_clientside.set_props(store, { data: { ...body, at } });
    }
  };
  const answered = (at) => {
    if (at !== asked) return none();
    asked = null;
    next();
    return none();
  };
  const tell = (store, body) => {
    waiting.push([store, body]);
    next();
  };

  window.dash_clientside.template = {
    // The page was opened: nothing is waited for any more.
    opened: () => { waiting = []; asked = null; return none(); },
    answered,
    press: (what) => {
      const wanted = /^template:(save|json|run)$/.test(what);
      const store = wanted ? "template-wanted" : "template-act";
      setTimeout(() => tell(store, { kind: "press", words: what.split(":") }), HANDOVER);
    },
    edit: (...values) => {
      const key = values.pop();
      if (key) tell("template-act", { kind: "edit", values, key });
      return none();
    },
    rename: (name, ...image) => {
      if (name && image.every((size) => size !== null && size !== undefined)) tell("template-act", { kind: "rename", name, image });
      return none();
    },
  };
})();
