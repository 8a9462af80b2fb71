// The map of the Navigator: dots, the outlines of regions, the lasso.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const none = () => window.dash_clientside.no_update;
  const { bytes, floats, bits, marked } = window.packed;
  let axes = { from: null }; // decoded coordinates of the base drawn last
  const GOING = -1; // in place of the code of a dot that an act would let go
  let outlined = false; // whether the map shows the outline of a region
  // The convex outline of the dots of a region, with its name (Andrew's monotone chain).
  const hull = (inside, x, y, name, colour) => {
    const members = [];
    inside.forEach((member, k) => { if (member && Number.isFinite(x[k]) && Number.isFinite(y[k])) members.push(k); });
    members.sort((a, b) => x[a] - x[b] || y[a] - y[b]);
    const left = (a, b, c) => (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) > 0;
    const chain = (order) => order.reduce((found, k) => {
      while (found.length > 1 && !left(found[found.length - 2], found[found.length - 1], k)) found.pop();
      return [...found, k];
    }, []);
    const around = [...chain(members), ...chain([...members].reverse()).slice(1)];
    const written = name.replace(/&/g, "&amp;").replace(/</g, "&lt;"); // as it is: plotly reads markup
    const top = around.reduce((best, k, place) => (y[k] > y[around[best]] ? place : best), 0);
    return {
      type: "scatter", mode: "lines+text", hoverinfo: "skip", name: "outline",
      x: around.map((k) => x[k]), y: around.map((k) => y[k]), line: { color: colour, width: 2, dash: "dash" },
      text: around.map((_, place) => (place === top ? written : "")), textposition: "top center", textfont: { color: colour, size: 13 },
    };
  };

  // Dots that an act under the pointer would let go.
  const outlines = (base, x, y, members) => ({
    type: "scattergl", mode: "markers", name: "dots going", hoverinfo: "none", customdata: members,
    x: Float32Array.from(members, (k) => x[k]), y: Float32Array.from(members, (k) => y[k]),
    marker: { size: 5, symbol: "circle-open", opacity: 0.35, color: base.unknown },
  });

  // One trace a code: single colours are drawn several times faster than one colour a dot.
  const traces = (base, x, y, codes, going) => {
    const levels = base.colours.length + 1;
    const groups = new Map();
    codes.forEach((code, k) => {
      const shown = code && going && going[k] ? GOING : code;
      if (!groups.has(shown)) groups.set(shown, []);
      groups.get(shown).push(k);
    });
    const order = (code) => (code === GOING ? -2 : (code - 1) % levels);
    return Array.from(groups.keys()).sort((a, b) => order(a) - order(b)).map((code) => {
      const members = groups.get(code);
      if (code === GOING) return outlines(base, x, y, members);
      const rung = code ? Math.floor((code - 1) / levels) : 0;
      const level = code ? (code - 1) % levels : 0;
      return {
        type: "scattergl", mode: "markers", name: `dots ${code}`,
        x: Float32Array.from(members, (k) => x[k]), y: Float32Array.from(members, (k) => y[k]), customdata: members,
        hoverinfo: "none", // told all the same: the tooltip is ours, see map_tip.js
        marker: {
          size: rung ? 7 : 5, symbol: base.symbols[rung], opacity: code ? 0.85 : 0.08,
          color: level ? base.colours[level - 1] : base.unknown,
        },
      };
    });
  };

  // The front of a trade-off as steps, its networks as dots to choose, and a line where it bends.
  const front = (line, meta) => {
    if (!line || !line.x.length) return { traces: [], shapes: [] };
    const drawn = { type: "scattergl", name: "front", x: line.x, y: line.y, customdata: line.at, hoverinfo: "none" };
    const shapes = line.knee === null ? [] : [{ type: "line", x0: line.knee, x1: line.knee, y0: 0, y1: 1, yref: "paper", line: { color: meta.ink, width: 1, dash: "dot" } }];
    return { shapes, traces: [{
      ...drawn, mode: "lines+markers", line: { color: meta.ink, width: 2, shape: "hv" },
      marker: { size: 9, symbol: "circle-open", color: meta.ink, line: { width: 2 } },
      selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 1 } },
    }] };
  };

  window.dash_clientside.space_map = {
    map: (base, marks, live, going, chosen, past, scope) => {
      if (!base || !marks) return none();
      const told = window.dash_clientside.callback_context.triggered.map((t) => t.prop_id);
      const outline = scope && !scope.of.includes("lasso") ? scope : null; // plotly draws the lasso itself
      if (told.length && told.every((id) => id === "map-scope.data") && !outline && !outlined) return none();
      if (told.length && told.every((id) => id === "map-marks.data" || id === "map-live.data") && past) return none();
      outlined = Boolean(outline);
      // What plotly forgets when it draws anew: the tool, and the lasso on these axes.
      const drawn = document.querySelector("#nav-map .js-plotly-plot");
      const held = (drawn && drawn.layout) || {};
      const kept = { dragmode: window.dash_clientside.map_tools.dragmode() };
      if (axes.from === base.x + base.y && (held.selections || []).length) kept.selections = held.selections;
      if (axes.from !== base.x + base.y) axes = { from: base.x + base.y, x: floats(base.x), y: floats(base.y) };
      const moving = past || live || {};
      const x = moving.x ? floats(moving.x) : axes.x;
      const y = moving.y ? floats(moving.y) : axes.y;
      const codes = bytes(past ? past.marks : marks);
      if (codes.length !== x.length) return none(); // another space is on its way
      const ring = chosen === null || chosen === undefined ? [] : [chosen];
      return {
        ...base.figure,
        layout: { ...base.figure.layout, ...kept, shapes: front(moving.front, base.figure.layout.meta).shapes },
        data: [
          ...traces(base, x, y, codes, going && going.mask ? bits(going.mask, codes.length) : null),
          ...base.figure.data,
          ...front(moving.front, base.figure.layout.meta).traces,
          // Plotly draws all that is no WebGL beneath the dots.
          {
            type: "scattergl", mode: "markers", hoverinfo: "skip", name: "selected",
            x: ring.map((k) => x[k]), y: ring.map((k) => y[k]),
            marker: { size: 15, symbol: "circle-open", color: base.figure.layout.meta.accent, line: { width: 3 } },
            selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 1 } },
          },
          ...(outline ? outline.parts : []).map(([name, mask]) => hull(bits(mask, codes.length), x, y, name, base.figure.layout.meta.accent)),
        ],
      };
    },
    region: (selected, marks, before) => {
      const context = window.dash_clientside.callback_context;
      if (!context.triggered.some((t) => t.prop_id.startsWith("nav-map")) || !marks) return none();
      if (!selected) return before ? null : none();
      const bits = marked(selected);
      return bits === before ? none() : bits; // a lasso that was drawn anew is no new one
    },
  };
})();
