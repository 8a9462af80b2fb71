// The tools of the map: what a drag does, the whole map again, and letting a region go.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const DRAGS = { pick: false, lasso: "lasso", pan: "pan" }; // plotly's name of what a drag does with each tool
  const none = () => window.dash_clientside.no_update;
  const chart = () => document.querySelector("#nav-map .js-plotly-plot");
  const drawn = () => (chart() && chart().layout && window.Plotly ? chart() : null);
  let tool = "pick";

  const show = () => document.querySelectorAll("[data-tool][aria-pressed]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  });
  const take = (name) => {
    const map = drawn();
    if (name === "fit") {
      if (map) window.Plotly.relayout(map, { "xaxis.autorange": true, "yaxis.autorange": true });
      return;
    }
    tool = name;
    show();
    if (map) window.Plotly.relayout(map, { dragmode: DRAGS[tool] });
  };
  // A lasso is drawn by plotly, and kept by it until it is told otherwise.
  const clear = () => {
    const map = drawn();
    if (map && (map.layout.selections || []).length) {
      window.Plotly.relayout(map, { selections: [] });
      window.Plotly.restyle(map, { selectedpoints: [null] });
    }
    window.dash_clientside.set_props("nav-map", { selectedData: null });
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest) return;
    const button = event.target.closest("[data-tool]");
    if (button) take(button.dataset.tool);
    if (event.target.closest("[data-clear]")) clear();
  });

  window.dash_clientside.map_tools = {
    dragmode: () => DRAGS[tool],
    // What is chosen beside the map differs between its views.
    view: (name) => {
      const panel = document.querySelector(".panel.space");
      if (panel) panel.dataset.view = name;
      return none();
    },
    opened: () => { tool = "pick"; show(); return none(); },
  };
})();
