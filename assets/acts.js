// Acts that build on one another: each is told once the one before is answered, so that fast hands and a busy machine
// lose nothing.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const PATIENCE = 15000; // ms after which an answer is no longer waited for: the server may have been restarted
  const none = () => window.dash_clientside.no_update;

  // Acts told to the store `awaited` wait for one another; those told to another store only for their turn. All are
  // dropped when the page that holds the element `home` is left.
  const queue = (awaited, home) => {
    let waiting = [];
    let asked = null; // number of the act that is being answered
    let told = 0;
    const next = () => {
      while (asked === null && waiting.length) {
        const [store, body] = waiting.shift();
        if (!document.getElementById(home)) return;
        const at = ++told;
        if (store === awaited) {
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
    return {
      tell: (store, body) => { waiting.push([store, body]); next(); },
      answered,
      opened: () => { waiting = []; asked = null; return none(); },
    };
  };

  window.dash_clientside.acts = { queue };
  window.dash_clientside.region_acts = queue("region-pressed", "regions");
})();
