// What is taken away as an image: every chart as SVG or PNG on white paper, in the ink of the light theme; see app/take_away.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const LEAST = { width: 640, height: 400 }; // pixels: a chart on a page may be too small for its words on paper
  const SCALE = 3; // pixels of a PNG to one of the page
  const MOST_SHAPES = 40000; // dots that a viewer of SVG still bears; more are drawn as one image inside it
  const PAPER = "#FFFFFF";
  let run = "";

  const tell = (title, message, color) => window.dash_clientside.set_props("notifications", {
    sendNotifications: [{ action: "show", id: `take${Date.now()}`, title, message, color }],
  });
  // The colours of a theme by name, from assets/tokens.css.
  const tokens = (selector) => {
    const found = {};
    Array.from(document.styleSheets).forEach((sheet) => {
      let rules = [];
      try { rules = Array.from(sheet.cssRules); } catch { /* of another origin: none of ours */ }
      rules.filter((rule) => rule.selectorText === selector).forEach((rule) => {
        Array.from(rule.style).filter((name) => name.startsWith("--helm-")).forEach((name) => {
          found[name] = rule.style.getPropertyValue(name).trim();
        });
      });
    });
    return found;
  };
  const lightInk = () => {
    const ink = new Map();
    if (window.helmTheme !== "dark") return ink;
    const light = tokens(":root");
    Object.entries(tokens('[data-mantine-color-scheme="dark"]')).forEach(([name, colour]) => {
      if (light[name]) ink.set(colour.toUpperCase(), light[name]);
    });
    return ink;
  };
  // A copy in other colours; numbers are not copied.
  const copied = (value, ink) => {
    if (typeof value === "string") return value[0] === "#" ? ink.get(value.toUpperCase()) || value : value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((one) => copied(one, ink));
    if (!value || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copied(one, ink)]));
  };
  const words = (text) => {
    const read = document.createElement("textarea"); // what plotly writes for &lt; is <
    read.innerHTML = String(text || "").replace(/<[^>]*>/g, " ");
    return read.value.trim();
  };
  const titleOf = (plot) => {
    const { title, annotations } = plot.layout;
    const first = (annotations || []).find((note) => note.yref === "paper" && note.text); // of several charts in one
    const named = plot.closest(".dash-graph[id]");
    return words(title && title.text) || words(first && first.text) || (named ? named.id.replace(/-/g, " ") : "chart");
  };
  const fileName = (parts, ending) => {
    const plain = parts.map((part) => (part.match(/[\p{L}\p{N}]+/gu) || []).join("-")).filter(Boolean);
    return `${plain.map((part) => part.slice(0, 80)).join("-") || "chart"}.${ending}`;
  };
  const figure = (plot, size) => {
    const ink = lightInk();
    const data = plot.data.map((trace) => copied(trace, ink));
    const dots = data.filter((trace) => trace.type === "scattergl");
    const count = (plot._fullData || []).reduce((sum, trace) => sum + (trace.type === "scattergl" ? trace._length || 0 : 0), 0);
    if (count <= MOST_SHAPES) dots.forEach((trace) => { trace.type = "scatter"; });
    const layout = { ...copied(plot.layout, ink), ...size, autosize: false, paper_bgcolor: PAPER, plot_bgcolor: PAPER };
    return { data, layout, config: { staticPlot: true, locale: "en" } };
  };
  const content = (address, kind, title) => {
    const body = address.slice(address.indexOf(",") + 1);
    if (kind === "png") return new Blob([Uint8Array.from(window.atob(body), (sign) => sign.charCodeAt(0))], { type: "image/png" });
    const safe = title.replace(/&/g, "&amp;").replace(/</g, "&lt;");
    return new Blob([decodeURIComponent(body).replace(/^<svg[^>]*>/, (start) => `${start}<title>${safe}</title>`)], { type: "image/svg+xml" });
  };
  const keep = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.dataset.local = "yes";
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const save = async (graph, kind) => {
    const plot = graph && graph.querySelector(".js-plotly-plot");
    if (!plot || !plot.data || !plot.data.length) { tell("Not saved", "Nothing is drawn here yet.", "red"); return; }
    const title = titleOf(plot);
    const size = Object.fromEntries(Object.keys(LEAST).map((side) => [side, Math.max(plot._fullLayout[side], LEAST[side])]));
    try {
      const address = await window.Plotly.toImage(figure(plot, size), { format: kind, ...size, scale: kind === "png" ? SCALE : 1 });
      keep(content(address, kind, [title, run].filter(Boolean).join(" · ")), fileName([run, title], kind));
    } catch (error) { tell("Not saved", `The image could not be made: ${(error && error.message) || error}`, "red"); }
  };

  const control = () => {
    const group = document.createElement("div");
    group.className = "take-chart";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Save the chart as an image");
    ["svg", "png"].forEach((kind) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = kind.toUpperCase();
      button.title = `Save this chart as ${button.textContent}, on white`;
      button.setAttribute("aria-label", `Save chart as ${button.textContent}`);
      Object.assign(button.dataset, { takeChart: kind, local: "yes" });
      group.append(button);
    });
    return group;
  };
  let due = false;
  const equip = () => {
    due = false;
    document.querySelectorAll(".dash-graph").forEach((graph) => {
      if (!graph.querySelector(":scope > .take-chart")) graph.append(control());
    });
  };
  new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(equip);
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest && event.target.closest("[data-take-chart], .modebar-btn[data-title^='Download']");
    if (!pressed) return;
    event.stopImmediatePropagation(); // plotly's own image is in the colours of the page, without a ground
    event.preventDefault();
    save(pressed.closest(".dash-graph"), pressed.dataset.takeChart || "png");
  }, true);

  window.dash_clientside.take_away = {
    named: (open, runs) => { run = ((runs || []).find((option) => option.value === open) || {}).label || ""; },
  };
})();
