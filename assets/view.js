// What pages show, in the address and for the tab: put back when a page opens, written when it changes; see app/view.py.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const HELD = "nas-helm-view";
  const config = () => JSON.parse(document.getElementById("_dash-config").textContent);
  const trimmed = (path) => path.replace(/\/+$/, "") || "/";
  const below = (path) => trimmed(`/${path.slice(config().requests_pathname_prefix.length)}`);
  const here = () => below(window.location.pathname);

  let fresh = true; // a page was drawn anew, and what is wanted of it is not known yet
  let open = null; // the page that is open, with what is known of it
  let memory = {}; // what the tab remembers where storage is denied
  const remembered = () => {
    try { return JSON.parse(window.sessionStorage.getItem(HELD)) || {}; } catch { return memory; }
  };
  const remember = (path, run, values) => {
    memory = { ...remembered(), [path]: { run, values } };
    try { window.sessionStorage.setItem(HELD, JSON.stringify(memory)); } catch { /* denied or full: while the page lives */ }
  };

  // Parts that are no plain property of a component: how they are written, and put back.
  const SPECIAL = {
    "map-scope": {
      read: (scope) => (scope && scope.of.length && scope.of.every((of) => /^\d+$/.test(of)) ? [...scope.of, ...(scope.of.length > 1 ? [scope.operation] : [])].join(".") : null),
      write: (text, run) => text.split(".").forEach((word) => {
        const what = /^\d+$/.test(word) ? `scope:${word}` : `operation:${word}`;
        window.dash_clientside.region_acts.tell("region-pressed", { what, run });
      }),
    },
  };
  const asText = (id, value) => {
    if (SPECIAL[id]) return SPECIAL[id].read(value);
    if (value === null || value === undefined || value === "") return null;
    return Array.isArray(value) ? value.join(",") : String(value);
  };
  const asValue = (text, like) => {
    if (Array.isArray(like)) return text ? text.split(",") : [];
    return typeof like === "number" ? Number(text) : text;
  };
  // Whether a component has a choice; true where it does not say which it has.
  const offers = (id, text) => {
    const found = window.dash_component_api && window.dash_component_api.getLayout && window.dash_component_api.getLayout(id);
    const data = found && found.props && (found.props.data || found.props.options);
    if (Array.isArray(data)) {
      const choices = data.flatMap((one) => (one && one.items) || [one]).map((one) => String(one && typeof one === "object" ? one.value : one));
      return text.split(",").every((one) => choices.includes(one));
    }
    const tabs = (part) => (Array.isArray(part) ? part : [part]).flatMap((one) => {
      if (!one || !one.props) return [];
      return one.type === "TabsTab" ? [String(one.props.value)] : one.type === "TabsList" || one === found ? tabs(one.props.children) : [];
    });
    const names = found ? tabs(found) : [];
    return !names.length || names.includes(text);
  };

  const pairs = () => window.location.search.slice(1).split("&").filter(Boolean);
  const keyOf = (pair) => pair.slice(0, pair.indexOf("=") < 0 ? pair.length : pair.indexOf("="));
  const named = (key) => {
    const pair = pairs().find((one) => keyOf(one) === key);
    if (!pair) return null;
    try { return decodeURIComponent(pair.slice(key.length + 1).replace(/\+/g, " ")); } catch { return null; }
  };
  const written = (text) => encodeURIComponent(text).replace(/%20/g, "+").replace(/%2C/g, ",");
  // What is shown stands in the address, without a step in its history.
  const inscribe = () => {
    if (!open || here() !== open.path) return;
    const keys = open.parts.map((part) => part.key);
    const kept = pairs().filter((pair) => !keys.includes(keyOf(pair)));
    const texts = { ...open.texts, ...open.wanted };
    const shown = keys.filter((key) => texts[key]).map((key) => `${key}=${written(texts[key])}`);
    const search = [...kept, ...shown].join("&");
    const wanted = `${window.location.pathname}${search ? `?${search}` : ""}${window.location.hash}`;
    if (wanted === window.location.pathname + window.location.search + window.location.hash) return;
    window.history.replaceState(window.history.state, "", wanted);
    // Dash goes back to the address that it knows when it is to open another.
    window.dash_clientside.set_props("url", { href: window.location.href });
  };
  // Dash writes addresses without what is shown; that is put back before anybody looks.
  const push = window.history.pushState.bind(window.history);
  window.history.pushState = (...step) => { push(...step); queueMicrotask(inscribe); };
  const ask = () => {
    open.wanted = {};
    open.parts.forEach(({ key }) => {
      const text = named(key);
      if (text) open.wanted[key] = text;
    });
  };
  window.addEventListener("popstate", () => { if (open && here() === open.path) { ask(); put(); } });

  // Put back what is wanted and not shown yet, once the component has something to show at all.
  const put = () => {
    const wanted = (special) => open.parts.filter((part) => open.wanted[part.key] && Boolean(SPECIAL[part.id]) === special);
    wanted(false).forEach((part) => {
      const text = open.wanted[part.key];
      const known = open.texts[part.key];
      const chosenNone = Array.isArray(open.values[part.key]) && !open.values[part.key].length;
      if (!known && !chosenNone && document.getElementById(part.id)) return; // its choices are still to come
      delete open.wanted[part.key];
      if ((!known && !chosenNone) || known === text || !offers(part.id, text)) return;
      open.texts[part.key] = text;
      window.dash_clientside.set_props(part.id, { [part.property]: asValue(text, open.values[part.key]) });
    });
    if (!wanted(false).length) wanted(true).forEach((part) => {
      const text = open.wanted[part.key];
      delete open.wanted[part.key];
      if (open.texts[part.key] !== text) SPECIAL[part.id].write(text, open.run);
    });
    remember(open.path, open.run, { ...open.texts, ...open.wanted });
    inscribe();
  };

  window.dash_clientside.view = {
    // Who leaves a page and is back before another is drawn finds it as it was: what is chosen next is a choice.
    arrived: (drawn) => { if (drawn && !(open && open.path === below(drawn))) fresh = true; },
    kept: (run, ...rest) => {
      const told = rest.pop();
      const inputs = window.dash_clientside.callback_context.inputs_list.slice(1);
      const path = here();
      const parts = Object.entries((told || {})[path] || {}).map(([id, [property, key, ofRun]]) => ({ id, property, key, ofRun }));
      if (!run || !parts.length || !inputs.some((input) => input && input.id === parts[0].id)) return;
      if (rest.every((value) => value === null || value === undefined)) return; // not drawn yet
      const before = open;
      open = { path, run, parts, wanted: (before && before.wanted) || {}, values: {}, texts: {} };
      parts.forEach((part) => {
        const place = inputs.findIndex((input) => input && input.id === part.id);
        open.values[part.key] = place < 0 ? null : rest[place];
        open.texts[part.key] = place < 0 ? null : asText(part.id, rest[place]);
      });
      if (fresh || !before || before.path !== path) {
        fresh = false;
        ask();
        const last = remembered()[path] || { values: {} };
        parts.filter((part) => !(part.key in open.wanted) && last.values[part.key] && (!part.ofRun || last.run === run)).forEach((part) => { open.wanted[part.key] = last.values[part.key]; });
      } else if (before.run !== run) parts.filter((part) => part.ofRun).forEach((part) => { delete open.wanted[part.key]; });
      put();
    },
  };
})();
