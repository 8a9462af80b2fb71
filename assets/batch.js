// One look at the components a frame. The renderer tells every component of every step of every callback, hundreds of
// times an act; what is told within one frame is told once, as nobody sees what stood in between.
(() => {
  const LONGEST = 50; // milliseconds, where no frame is drawn, as in a hidden tab
  const byHand = () => window.event && /^(input|change|key|click|pointer|mouse|focus|blur|composition|paste|submit)/.test(window.event.type);
  const gathered = (listener) => {
    let frame = 0, timer = 0;
    const tell = () => { cancelAnimationFrame(frame); clearTimeout(timer); frame = timer = 0; listener(); };
    return () => {
      if (byHand()) { tell(); return; } // what is typed must stand in its field at once
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
      store.subscribe = (listener) => subscribe(/onStateChange/.test(String(listener)) ? gathered(listener) : listener);
    },
  });
})();
