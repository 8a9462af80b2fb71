// The Correlation page: numbers of the leader board, weights of the aggregate, the brush.
window.dash_clientside = window.dash_clientside || {};
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
(() => {
  // ".57 [.55, .59]": two decimals, no zero before the point, the interval where there is one.
  const short = (value) => value.toFixed(2).replace(/^(-?)0\./, "$1.").replace("-", "\u2212");
  window.dashAgGridFunctions.interval = (value, low, high) => {
    if (value === null || value === undefined) return "\u2013";
    return short(value) + (low === null || low === undefined ? "" : ` [${short(low)}, ${short(high)}]`);
  };
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const none = () => window.dash_clientside.no_update;
  window.dash_clientside.correlation = {
    // Weights by score that the user typed, kept by run; what agrees with equal ones is not kept.
    weigh: (typed, scores, equal, held, run) => {
      if (!run || !scores.length) return [none(), none()];
      const given = Object.fromEntries(scores.map((id, k) => [id.score, typed[k] || 0]));
      const same = (other) => Object.entries(given).every(([name, weight]) => weight === (other[name] || 0));
      const mine = (held || {})[run];
      if (same(equal || {}) || same({})) {
        const text = same({}) ? "All are 0: equal weights are used." : "equal";
        return mine ? window.dash_clientside.correlation.unweigh(0, held, run, text) : [none(), text];
      }
      return [mine && same(mine) ? none() : { ...held, [run]: given }, "yours"];
    },
    unweigh: (_clicks, held, run, text = "equal") => {
      const others = { ...held };
      delete others[run];
      return [others, text];
    },
    // Dash copies every dot under a lasso into the state of the page, a tenth of a second for thousands: take its place.
    brush: () => {
      const listen = () => {
        const map = document.querySelector("#score-truth .js-plotly-plot");
        if (!map || map.dataset.brushes) return;
        if (!map._ev || !map._ev.listenerCount("plotly_selected")) { requestAnimationFrame(listen); return; }
        map.dataset.brushes = "yes";
        map.removeAllListeners("plotly_selected");
        // Nor is a lasso written back into the figure: every dot would be drawn anew, at its start and at its end.
        map.removeAllListeners("plotly_relayout");
        map.on("plotly_selected", (selected) => {
          const bits = window.packed.marked(selected);
          if (!bits) return;
          keep("brushed", { data: bits });
          keep("scope", { value: "brush" });
        });
      };
      listen();
      return none();
    },
    labels: (crossed) => {
      const shown = crossed === "labels";
      return [shown ? performance.now() : none(), !shown, shown];
    },
  };
})();
