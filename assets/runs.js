// The Runs page: how the cells of its table look, chips and search, what is chosen, its keys.
window.dash_clientside = window.dash_clientside || {};
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
(() => {
  const NARROW = [["acts", 760], ["spark", 680], ["made", 560]]; // px of the table below which a column leaves
  const LOW = 850; // px of the window below which rows are closer
  const none = () => window.dash_clientside.no_update;
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const make = (...of) => window.React.createElement(...of);
  const page = () => document.getElementById("runs-grid");
  const grid = () => {
    if (!page() || !window.dash_ag_grid) return null;
    try { return window.dash_ag_grid.getApi("runs-grid") || null; } catch { return null; }
  };

  // Texts ------------------------------------------------------------------------------------------------------------
  const clock = (date) => date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const full = (seconds) => {
    const date = new Date(seconds * 1000);
    return `${date.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" })}, ${clock(date)}`;
  };
  const plainDate = (seconds, now = new Date()) => {
    const date = new Date(seconds * 1000);
    const minutes = Math.floor((now - date) / 60000);
    if (minutes >= -1 && minutes < 1) return "under 1 min ago";
    if (minutes > 0 && minutes < 60) return `${minutes} min ago`;
    const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
    const days = Math.round((midnight(now) - midnight(date)) / 86400000);
    if (days === 0) return `today ${clock(date)}`;
    if (days === 1) return `yesterday ${clock(date)}`;
    if (days > 1 && days < 7) return `${date.toLocaleDateString("en-GB", { weekday: "short" })} ${clock(date)}`;
    const year = date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year });
  };
  const number = (value) => {
    if (Math.abs(value) >= 1e9) return `${Number((value / 1e9).toPrecision(3))} G`;
    if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
    if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(3))).replace("-", "−");
  };

  // Cells ------------------------------------------------------------------------------------------------------------
  const address = (run) => {
    const link = document.getElementById("nav-navigator");
    const path = link ? new URL(link.href).pathname : "/";
    return `${path}?run=${encodeURIComponent(run)}`;
  };
  const open = (run) => {
    window.history.pushState({}, "", address(run));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  };
  const two = (first, second, title) => make("div", { className: "runs-two", title }, first, second);
  const cells = window.dashAgGridComponentFunctions;
  cells.RunName = ({ data }) => two(
    make("a", { className: "runs-link", href: address(data.id), title: `Open “${data.name}”`, tabIndex: -1 }, data.name),
    make("div", { className: "runs-second", title: data.about }, data.about),
  );
  cells.RunState = ({ data }) => {
    const by = data.since ? ` · by hand ${plainDate(data.since)}` : "";
    return two(
      make("span", { className: `runs-pill ${data.tone}` }, make("span", { className: "runs-sign", "aria-hidden": true }, data.sign), data.state),
      make("div", { className: "runs-second" }, data.said + by),
      data.why + by,
    );
  };
  cells.RunSpark = ({ data }) => {
    if (!data.spark) return make("span", { className: "runs-none" }, "–");
    const [x] = data.spark.match(/[\d.]+$/) || ["0"];
    const y = (data.spark.match(/V([\d.]+)H[\d.]+$/) || data.spark.match(/^M[\d.]+ ([\d.]+)/))[1];
    return make("svg", { width: 92, height: 24, viewBox: "0 0 92 24", role: "img", "aria-label": `best so far, ends at ${number(data.best)}`, className: data.steered ? "runs-spark steered" : "runs-spark" },
      make("path", { d: data.spark }), make("circle", { cx: x, cy: y, r: 2 }));
  };
  cells.RunBest = ({ data }) => two(
    make("b", { className: "runs-best" }, data.best === null ? "–" : number(data.best)),
    make("div", { className: "runs-second" }, data.metric),
    data.unknown || (data.best === null ? "" : `${data.metric} ${data.best}`),
  );
  cells.RunWhen = ({ data }) => make("span", { title: full(data.made), className: "runs-when" }, plainDate(data.made));
  window.dashAgGridFunctions.runRowHeight = () => (window.innerHeight < LOW ? 46 : 52);

  // Rows, chips, search ----------------------------------------------------------------------------------------------
  const show = (state) => {
    const api = grid();
    if (!api) return;
    document.querySelectorAll(".runs-chip").forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.state === state)));
    const model = state === "All" ? null : { filterType: "text", type: "equals", filter: state };
    api.setColumnFilterModel("state", model).then(() => api.onFilterChanged());
  };
  let wanted = null; // runs to choose once their rows are there
  window.dash_clientside.runs = {
    plainDate, number,
    transaction: (news) => {
      const api = grid();
      if (!news || !api) return none();
      const told = { add: [], update: [], async: false, remove: news.gone.filter((id) => api.getRowNode(id)).map((id) => ({ id })) };
      news.rows.forEach((row) => (api.getRowNode(row.id) ? told.update : told.add).push(row));
      return told;
    },
    chosen: (rows, before) => {
      const ids = (Array.isArray(rows) ? rows : []).map((row) => row.id);
      if (JSON.stringify(ids) === JSON.stringify(before || [])) return none();
      // Until the answer for these runs is here, no button may act on those chosen before.
      document.querySelectorAll("#run-orders button").forEach((button) => keep(button.id, { disabled: true, title: "One moment …" }));
      return ids;
    },
    choose: (ids) => {
      const told = window.dash_clientside.callback_context.triggered.some((t) => t.prop_id.startsWith("runs-chosen-wanted"));
      if (told) wanted = ids;
      if (wanted) setTimeout(settle, 50);
      return none();
    },
    search: (text) => {
      const api = grid();
      if (api) api.setGridOption("quickFilterText", text || "");
      return none();
    },
  };
  const settle = () => {
    const api = grid();
    const nodes = api && wanted ? wanted.map((id) => api.getRowNode(id)) : [null];
    if (nodes.includes(null) || nodes.includes(undefined)) return; // they come with the next news
    wanted = null;
    api.deselectAll();
    nodes.forEach((node) => node.setSelected(true));
    api.ensureNodeVisible(nodes[0]);
  };
  const close = () => keep("runs-compared", { data: null });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest && event.target.closest(selector);
    if (!page()) return;
    const chip = at(".runs-chip");
    if (chip) show(chip.dataset.state);
    if (at("#runs-compare-close")) close();
    const order = at("#runs-open");
    if (order && order.dataset.press) open(order.dataset.press.split(":")[1]);
    const link = at("a.runs-link");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      open(new URL(link.href).searchParams.get("run"));
    }
  });

  // Keys -------------------------------------------------------------------------------------------------------------
  const typed = (target) => target.closest && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
  const covered = () => Array.from(document.querySelectorAll("[role=dialog]")).some((dialog) => dialog.offsetParent !== null || dialog.getClientRects().length);
  const press = (id) => {
    const found = document.getElementById(id);
    if (found && !found.disabled) found.click();
  };
  // The table's own keys come first: space chooses a row, and is no press on Start; Enter opens it.
  window.addEventListener("keydown", (event) => {
    const cell = page() && event.target.closest && event.target.closest("#runs-grid .ag-cell");
    const api = cell && grid();
    if (!api || event.ctrlKey || event.metaKey || event.altKey || ![" ", "Enter"].includes(event.key)) return;
    const node = api.getRowNode(cell.closest(".ag-row").getAttribute("row-id"));
    if (!node) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === " ") node.setSelected(!node.isSelected());
    else open(node.id);
  }, true);
  document.addEventListener("keydown", (event) => {
    if (!page() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const field = document.getElementById("runs-search");
    if (event.key === "Escape" && event.target === field) {
      keep("runs-search", { value: "" });
      field.blur();
      return;
    }
    if (typed(event.target) || covered()) return;
    if (event.key === "Escape") close();
    const chosen = event.key === "c" && grid() ? grid().getSelectedRows() : [];
    if (chosen.length === 2) keep("runs-compared", { data: chosen.map((row) => row.id) });
    if (event.key === "n" || event.key === "/") {
      event.preventDefault(); // else the key is typed into the field that gets the focus
      if (event.key === "n") press("btn-new-open");
      else field.focus();
    }
    const api = grid();
    if (event.key === "ArrowDown" && ["", "page"].includes(document.activeElement.id) && !document.activeElement.closest("#runs-grid, button, a") && api && api.getDisplayedRowCount()) {
      event.preventDefault();
      api.ensureIndexVisible(0);
      api.setFocusedCell(0, "name");
    }
  });

  // What fits ----------------------------------------------------------------------------------------------------------
  const fit = new ResizeObserver(([{ contentRect }]) => {
    const api = grid();
    if (!api || !contentRect.width) return;
    NARROW.forEach(([column, least]) => {
      const shown = contentRect.width >= least;
      const held = api.getColumn(column);
      if (held && held.isVisible() !== shown) api.setColumnsVisible([column], shown);
    });
  });
  let watched = null;
  new MutationObserver(() => {
    if (page() === watched) return;
    if (watched) fit.unobserve(watched);
    watched = page();
    if (watched) setTimeout(() => { if (watched) fit.observe(watched); }, 300); // once its columns are there
  }).observe(document.documentElement, { childList: true, subtree: true });
  window.addEventListener("resize", () => { const api = grid(); if (api) api.resetRowHeights(); });
  setInterval(() => { const api = grid(); if (api && !document.hidden) api.refreshCells({ columns: ["made", "state"], force: true }); }, 30000);
})();
