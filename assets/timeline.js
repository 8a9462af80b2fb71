// The timeline of the Navigator: it ends at what is scored now, and shows the moment under the pointer.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const none = () => window.dash_clientside.no_update;
  const asOf = (moment, end) => `as of ${moment.toLocaleString("en")} of ${end.toLocaleString("en")} scored`;
  let shown = { run: null, end: 0 }; // the run whose timeline is shown, and its end
  window.dash_clientside.timeline = {
    // The timeline ends at what is scored now; a moment of another run means nothing here.
    stretch: (pulse, moment) => {
      const bar = document.getElementById("timeline");
      if (!pulse || pulse.scored === undefined || !bar) return none();
      const end = Math.max(pulse.scored, 1);
      const moved = shown.run !== pulse.run;
      if (!moved && shown.end === end && bar.dataset.known) return none();
      shown = { run: pulse.run, end };
      bar.dataset.known = "yes"; // a page that was left and entered again has another bar
      const live = moment === null || moment === undefined || moved;
      keep("timeline", live ? { max: end, value: end } : { max: end });
      return none();
    },
    scrub: (value, end, before) => {
      const moment = value === null || value === undefined || value >= end ? null : Math.round(value);
      return moment === (before === undefined ? null : before) ? none() : moment;
    },
    when: (moment, end) => {
      const past = moment !== null && moment !== undefined;
      const why = past ? "Back to the run as it is now" : "The page shows the run as it is now.";
      return [past ? asOf(moment, end) : "live", !past, why, !past];
    },
  };

  // The step under the pointer while the timeline is dragged: its value is told once the pointer comes up.
  new MutationObserver((changed) => {
    const thumb = changed[changed.length - 1].target;
    if (!thumb.closest(".timeline")) return;
    const [at, end] = ["aria-valuenow", "aria-valuemax"].map((name) => Number(thumb.getAttribute(name)));
    keep("timeline-text", { children: at < end ? asOf(Math.round(at), end) : "live" });
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["aria-valuenow"] });
})();
