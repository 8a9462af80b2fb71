// Fewer looks at the components. The renderer tells every component of every step of every callback, hundreds of times
// an act, though most steps change none: those are told together, once a frame. A step that changes a component is told
// at once, as the renderer keeps the last change of a component only.
(() => {
  const LONGEST = 50; // milliseconds, where no frame is drawn, as in a hidden tab
  const gathered = (store, listener) => {
    let frame = 0, timer = 0, shown = null;
    const tell = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      frame = timer = 0;
      shown = store.getState().layoutHashes;
      listener();
    };
    return () => {
      if (store.getState().layoutHashes !== shown) { tell(); return; }
      if (frame) return;
      frame = requestAnimationFrame(tell);
      timer = setTimeout(tell, LONGEST);
    };
  };
  // The renderer compares callbacks that wait with each other at every step, whole and by value. Two that were resolved
  // apart never equal each other, and definitions are told apart by their output: that is seen at once.
  const alike = (one, other) => {
    if (Object.is(one, other)) return true;
    const plain = (value) => Array.isArray(value) || (value && value.constructor === Object);
    if (!plain(one) || !plain(other) || Array.isArray(one) !== Array.isArray(other)) return false;
    const keys = Object.keys(one);
    return keys.length === Object.keys(other).length && keys.every((key) => alike(one[key], other[key]));
  };
  function sameResolved(other) { return Boolean(other) && this.getOutputs === other.getOutputs && alike(this, other); }
  function sameDefined(other) { return Boolean(other) && this.output === other.output; }
  const known = new WeakSet();
  const learn = (value, equals) => {
    if (!value || known.has(value) || !Object.isExtensible(value)) return;
    known.add(value);
    Object.defineProperty(value, "equals", { value: equals, configurable: true });
  };
  const seen = {};
  const meet = ({ callbacks }) => Object.entries(callbacks || {}).forEach(([name, list]) => {
    if (!Array.isArray(list) || seen[name] === list) return;
    seen[name] = list;
    list.forEach((resolved) => {
      if (typeof resolved.getOutputs !== "function") return;
      learn(resolved, sameResolved);
      learn(resolved.callback, sameDefined);
      (resolved.predecessors || []).forEach((defined) => learn(defined, sameDefined));
    });
  });
  let held;
  Object.defineProperty(window, "store", {
    configurable: true,
    get: () => held,
    set: (store) => {
      held = store;
      const subscribe = store.subscribe;
      // The renderer's own observers are told at once, as they carry callbacks on; only React's listener may wait.
      const state = store.getState;
      store.getState = () => { const now = state(); meet(now); return now; };
      store.subscribe = (listener) => subscribe(/onStateChange/.test(String(listener)) ? gathered(store, listener) : listener);
    },
  });
})();
