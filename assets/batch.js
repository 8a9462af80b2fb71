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
  let held;
  Object.defineProperty(window, "store", {
    configurable: true,
    get: () => held,
    set: (store) => {
      held = store;
      const subscribe = store.subscribe;
      // The renderer's own observers are told at once, as they carry callbacks on; only React's listener may wait.
      store.subscribe = (listener) => subscribe(/onStateChange/.test(String(listener)) ? gathered(store, listener) : listener);
    },
  });
})();
