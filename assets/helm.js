// Everything that runs in the browser: theme, links that keep the selection, the dots of the map, presses, keys, the tour.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const bits = (packed, count) => {
    const raw = bytes(packed);
    return Uint8Array.from({ length: count }, (_, k) => (raw[k >> 3] >> (7 - (k & 7))) & 1);
  };
  // Architectures under a lasso as `app.masks` packs them; empty where there are none.
  const marked = (selected) => {
    const numbers = ((selected && selected.points) || []).map((point) => point.customdata).filter(Number.isInteger);
    if (!numbers.length) return "";
    const raw = new Uint8Array((numbers.reduce((most, k) => Math.max(most, k)) >> 3) + 1);
    for (const k of numbers) raw[k >> 3] |= 128 >> (k & 7);
    return btoa(raw.reduce((text, byte) => text + String.fromCharCode(byte), ""));
  };
  const keep = (props) => window.dash_clientside.set_props(...props);
  const none = () => window.dash_clientside.no_update;
  const asOf = (moment, end) => `as of ${moment.toLocaleString("en")} of ${end.toLocaleString("en")} scored`;
  let shown = { run: null, end: 0 }; // the run whose timeline is shown, and its end
  let axes = { from: null }; // decoded coordinates of the base drawn last

  let settling = null;
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
    const top = around.reduce((best, k, place) => (y[k] > y[around[best]] ? place : best), 0);
    return {
      type: "scatter", mode: "lines+text", hoverinfo: "skip", name: "outline",
      x: around.map((k) => x[k]), y: around.map((k) => y[k]), line: { color: colour, width: 2, dash: "dash" },
      text: around.map((_, place) => (place === top ? name : "")), textposition: "top center", textfont: { color: colour, size: 13 },
    };
  };

  // One trace a code: single colours are drawn several times faster than one colour a dot.
  const traces = (base, x, y, codes, going) => {
    const levels = base.colours.length + 1;
    const groups = new Map();
    codes.forEach((code, k) => {
      const shown = going && going[k] ? 0 : code;
      if (!groups.has(shown)) groups.set(shown, []);
      groups.get(shown).push(k);
    });
    return Array.from(groups.keys()).sort((a, b) => ((a - 1) % levels) - ((b - 1) % levels)).map((code) => {
      const members = groups.get(code);
      const rung = code ? Math.floor((code - 1) / levels) : 0;
      const level = code ? (code - 1) % levels : 0;
      return {
        type: "scattergl", mode: "markers", name: `dots ${code}`,
        x: Float32Array.from(members, (k) => x[k]), y: Float32Array.from(members, (k) => y[k]), customdata: members,
        hovertemplate: `#%{customdata}<br>${base.labels[0]} %{x:.3g}<br>${base.labels[1]} %{y:.3g}<extra></extra>`,
        marker: {
          size: rung ? 7 : 5, symbol: base.symbols[rung], opacity: code ? 0.85 : 0.08,
          color: level ? base.colours[level - 1] : base.unknown,
        },
      };
    });
  };

  window.dash_clientside.helm = {
    theme: (dark) => {
      document.body.dataset.agThemeMode = dark ? "dark" : "light";
      return [dark ? "dark" : "light", dark ? "dark" : "light"];
    },
    links: (search, pathname) => {
      return Array.from(document.querySelectorAll("#nav a"), (link) => {
        const path = new URL(link.href).pathname;
        link.setAttribute("aria-current", path === pathname ? "page" : "false");
        return path + (search || "");
      });
    },
    map: (base, marks, live, going, chosen, past, scope) => {
      if (!base || !marks) return none();
      const told = window.dash_clientside.callback_context.triggered.map((t) => t.prop_id);
      const outline = scope && !scope.of.includes("lasso") ? scope : null; // plotly draws the lasso itself
      if (told.length && told.every((id) => id === "map-scope.data") && !outline && !outlined) return none();
      if (told.length && told.every((id) => id === "map-marks.data") && past) return none();
      outlined = Boolean(outline);
      // What the user set in plotly itself, and plotly forgets when it draws anew: the tool, and the lasso on these axes.
      const drawn = document.querySelector("#nav-map .js-plotly-plot");
      const held = (drawn && drawn.layout) || {};
      const kept = { dragmode: held.dragmode || base.figure.layout.dragmode };
      if (axes.from === base.x + base.y && (held.selections || []).length) kept.selections = held.selections;
      if (axes.from !== base.x + base.y) axes = { from: base.x + base.y, x: floats(base.x), y: floats(base.y) };
      const x = live && live.x ? floats(live.x) : axes.x;
      const y = live && live.y ? floats(live.y) : axes.y;
      const codes = bytes(past || marks);
      if (codes.length !== x.length) return none(); // another space is on its way
      const ring = chosen === null || chosen === undefined ? [] : [chosen];
      return {
        ...base.figure,
        layout: { ...base.figure.layout, ...kept },
        data: [
          ...traces(base, x, y, codes, going && going.mask ? bits(going.mask, codes.length) : null),
          ...base.figure.data,
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
    // Weights by score that the user typed, kept by run; what agrees with equal ones is not kept.
    weigh: (typed, scores, equal, held, run) => {
      if (!run || !scores.length) return [none(), none()];
      const given = Object.fromEntries(scores.map((id, k) => [id.score, typed[k] || 0]));
      const same = (other) => Object.entries(given).every(([name, weight]) => weight === (other[name] || 0));
      const mine = (held || {})[run];
      if (same(equal || {}) || same({})) {
        const text = same({}) ? "All are 0: equal weights are used." : "equal";
        return mine ? window.dash_clientside.helm.unweigh(0, held, run, text) : [none(), text];
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
          const bits = marked(selected);
          if (!bits) return;
          keep(["brushed", { data: bits }]);
          keep(["scope", { value: "brush" }]);
        });
      };
      listen();
      return none();
    },
    labels: (crossed) => {
      const shown = crossed === "labels";
      return [shown ? performance.now() : none(), !shown, shown];
    },
    dress: (looks) => {
      for (const [name, look] of Object.entries(looks || {})) {
        const brick = document.querySelector(`[data-brick="${name}"]`);
        if (!brick) continue;
        brick.classList.toggle("pinned", look.state === "pinned");
        brick.classList.toggle("pruned", look.state === "pruned");
        for (const [property, value] of Object.entries(look.bar)) brick.style.setProperty(property, value);
        const text = brick.querySelector(".support");
        if (text.textContent !== look.text) text.textContent = look.text;
      }
      return none();
    },
    // Advice waits until nothing was drawn for a while, so that it never stands in the way of an act.
    settle: (drawn) => {
      clearTimeout(settling);
      settling = setTimeout(() => { if (document.getElementById("regions")) keep(["settled", { data: drawn }]); }, 700);
      return none();
    },
    // Bricks of the blocks chosen by a set of regions.
    outline: (scope) => {
      const chosen = new Set(scope ? scope.blocks : []);
      document.querySelectorAll("#template [data-brick]").forEach((brick) => {
        brick.classList.toggle("outlined", chosen.has(brick.getAttribute("data-brick")));
      });
      return none();
    },
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
      keep(["timeline", live ? { max: end, value: end } : { max: end }]);
      return none();
    },
    scrub: (value, end, before) => {
      const moment = value === null || value === undefined || value >= end ? null : Math.round(value);
      return moment === (before === undefined ? null : before) ? none() : moment;
    },
    when: (moment, end) => {
      const past = moment !== null && moment !== undefined;
      return [past ? asOf(moment, end) : "live", !past];
    },
    carry: (bricks) => {
      const carried = new Set(bricks || []);
      document.querySelectorAll(".brick").forEach((brick) => {
        brick.classList.toggle("carried", carried.has(brick.getAttribute("data-brick")));
      });
      return none();
    },
    link: (hover) => {
      const name = hover && hover.points[0].customdata;
      document.querySelectorAll(".brick.linked").forEach((brick) => brick.classList.remove("linked"));
      const brick = name && document.querySelector(`[data-brick="${name}"]`);
      if (brick) brick.classList.add("linked");
      return name || null;
    },
  };

  // The step under the pointer while the timeline is dragged: its value is told once the pointer comes up.
  new MutationObserver((changed) => {
    const thumb = changed[changed.length - 1].target;
    if (!thumb.closest(".timeline")) return;
    const [at, end] = ["aria-valuenow", "aria-valuemax"].map((name) => Number(thumb.getAttribute(name)));
    keep(["timeline-text", { children: at < end ? asOf(Math.round(at), end) : "live" }]);
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["aria-valuenow"] });

  // What a chart shows, for those who hear it: title, axes with their ranges, and how many points are drawn.
  const said = (layout, data) => {
    const plain = (title) => ((title && title.text) || "").replace(/<[^>]*>/g, " ").trim();
    const axis = (name) => {
      const found = layout[`${name}axis`] || {};
      const range = (found.range || []).map((end) => (typeof end === "number" ? Number(end.toPrecision(3)) : end));
      return plain(found.title) && `${name} is ${plain(found.title)}, ${found.type === "log" ? "powers of ten " : ""}from ${range.join(" to ")}`;
    };
    const count = (values) => {
      if (!values || values.bdata === undefined) return (values && values.length) || 0;
      const size = (values.bdata.replace(/=+$/, "").length * 3) >> 2; // bytes in base64, of numbers such as f8, i4, u1
      return size / Number(/\d/.exec(values.dtype)[0]);
    };
    const size = (trace) => count(trace.x || trace.y);
    const points = data.reduce((sum, trace) => sum + size(trace), 0);
    return [plain(layout.title) || "chart", axis("x"), axis("y"), `${points} points`].filter(Boolean).join("; ");
  };
  const describe = () => document.querySelectorAll(".js-plotly-plot").forEach((chart) => {
    if (chart.dataset.said || !chart.on) return;
    chart.dataset.said = "yes";
    chart.setAttribute("role", "figure");
    const tell = () => chart.setAttribute("aria-label", said(chart.layout, chart.data));
    chart.on("plotly_afterplot", tell);
    tell();
  });
  new MutationObserver(describe).observe(document.documentElement, { childList: true, subtree: true });

  // Who presses a button of a card by the keyboard stays there, though its buttons are drawn anew.
  let resting = null;
  const orders = (target) => target.closest && target.closest(".orders");
  document.addEventListener("pointerdown", () => { resting = null; });
  document.addEventListener("focusin", (event) => {
    const group = orders(event.target);
    resting = group ? { id: group.id, at: Array.from(group.children).indexOf(event.target) } : null;
  });
  new MutationObserver(() => {
    if (!resting || (document.activeElement && document.activeElement !== document.body)) return;
    const group = document.getElementById(resting.id);
    const next = group && group.children[Math.min(resting.at, group.children.length - 1)];
    if (next) next.focus();
  }).observe(document.documentElement, { childList: true, subtree: true });

  let hovered = null;
  const tell = (event) => {
    const brick = event.target.closest && event.target.closest("[data-brick]");
    const name = brick ? brick.getAttribute("data-brick") : null;
    if (name === hovered || !document.getElementById("nav-map")) return;
    hovered = name;
    keep(["hovered", { data: name }]);
  };
  document.addEventListener("mouseover", tell);
  document.addEventListener("focusin", tell);
  // Rows move while scores arrive: a row is picked when the pointer goes down, not when it comes up elsewhere.
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest && event.target.closest("#candidates .ag-row");
    if (row && event.button === 0) keep(["picked", { data: row.getAttribute("row-id") }]);
  });
  // What a button did when the pointer went down is what it does, even where it is redrawn before the pointer comes up.
  let aimed = null;
  document.addEventListener("pointerdown", (event) => {
    const source = event.target.closest && event.target.closest("[data-press]");
    aimed = source ? { source, what: source.getAttribute("data-press"), note: source.dataset.note } : null;
  });
  const goLive = () => {
    const thumb = document.querySelector("#timeline [role=slider], .timeline [role=slider]");
    if (thumb) keep(["timeline", { value: Number(thumb.getAttribute("aria-valuemax")) }]);
  };
  document.addEventListener("click", (event) => {
    const source = event.target.closest && event.target.closest("[data-press]");
    if (!source || source.disabled) return;
    const meant = event.detail && aimed && aimed.source === source ? aimed : { what: source.getAttribute("data-press"), note: source.dataset.note };
    const what = meant.what;
    const field = document.getElementById("act-note");
    let note = meant.note || (field ? field.value : "");
    if (source.dataset.ask) note = window.prompt(source.dataset.ask, source.dataset.answer || "");
    if (note === null) return;
    const steers = /^(pin|prune|focus|must)/.test(what);
    if (what === "live" || steers) goLive(); // acts steer the run as it is now
    if (what === "live") return;
    if (what.startsWith("arena:")) { window.dash_clientside.arena.tell("arena-act", { words: what.split(":") }); return; }
    if (what.startsWith("template:")) { window.dash_clientside.template.press(what); return; }
    if (/^(scope|operation|region|explore)\b/.test(what)) window.dash_clientside.region_acts.tell("region-pressed", { what, note });
    else keep(["pressed", { data: { what, at: event.timeStamp, note } }]);
    if (field && steers && !meant.note) keep(["act-note", { value: "" }]);
  });

  const step = (by) => {
    const grid = window.dash_ag_grid && document.getElementById("candidates") && window.dash_ag_grid.getApi("candidates");
    if (!grid) return;
    const rows = [];
    grid.forEachNodeAfterFilterAndSort((row) => rows.push(row.id));
    const chosen = new URLSearchParams(window.location.search).get("arch");
    const next = rows[Math.min(Math.max(rows.indexOf(chosen) + by, 0), rows.length - 1)];
    if (!next) return;
    keep(["picked", { data: next }]);
    grid.ensureIndexVisible(rows.indexOf(next));
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") endTour();
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const brick = document.activeElement && document.activeElement.closest("[data-brick]");
    const press = (id) => {
      const found = document.getElementById(id);
      if (found) { found.click(); event.preventDefault(); }
    };
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (event.key === "u") press("btn-undo");
    if (event.key === "?") press("btn-help");
    if (event.key === "p" && brick) brick.querySelector(".pin").click();
    if (event.key === "x" && brick) brick.querySelector(".prune").click();
    if (event.key === " " && !event.target.closest("button, a")) {
      const pause = document.getElementById("btn-pause");
      press(pause && !pause.disabled ? "btn-pause" : "btn-start");
    }
  });

  const TOUR = [
    [".space", "The whole space", "Every dot is an architecture, coloured at once by a closed form. Choose other axes and colours above the map."],
    ["#btn-start", "Start", "ZiCo scores stream in and dots turn to diamonds. Pause, close the browser, come back: nothing is lost."],
    [".template", "Steer", "Hover an operation: the map shows what a prune would remove. Click to pin it, × to prune it, u to undo. The search obeys at once."],
    [".table", "Look closer", "Choose a row or a dot (j and k step): the cell, its scores, its layers and the true accuracies appear on the right."],
    ["#nav-correlation", "Doubt", "Correlation says how far a score can be trusted, and what it may merely be counting."],
  ];
  const SEEN = "nas-helm-tour";
  const endTour = () => {
    document.querySelectorAll(".tour").forEach((card) => card.remove());
    document.querySelectorAll(".toured").forEach((panel) => panel.classList.remove("toured"));
    localStorage.setItem(SEEN, "yes");
  };
  const show = (number) => {
    endTour();
    const target = number < TOUR.length && document.querySelector(TOUR[number][0]);
    if (!target) return;
    target.classList.add("toured");
    const card = document.createElement("div");
    card.className = "tour";
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", `Tour, step ${number + 1} of ${TOUR.length}`);
    const title = document.createElement("h3");
    title.textContent = `${number + 1} of ${TOUR.length}: ${TOUR[number][1]}`;
    const text = document.createElement("p");
    text.textContent = TOUR[number][2];
    const next = document.createElement("button");
    next.textContent = number + 1 < TOUR.length ? "Next" : "Done";
    next.addEventListener("click", () => show(number + 1));
    const leave = document.createElement("button");
    leave.textContent = "Leave the tour";
    leave.addEventListener("click", endTour);
    card.append(title, text, next, leave);
    document.body.append(card);
    const box = target.getBoundingClientRect();
    const left = box.right + 320 < window.innerWidth ? box.right + 10 : Math.max(box.left - 320, 10);
    card.style.left = `${Math.min(left, window.innerWidth - 320)}px`;
    card.style.top = `${Math.min(Math.max(box.top, 10), window.innerHeight - card.offsetHeight - 10)}px`;
    next.focus();
  };
  const begin = () => {
    if (document.querySelector(TOUR[0][0])) { show(0); return; }
    const arrival = new MutationObserver(() => {
      if (!document.querySelector(TOUR[0][0])) return;
      arrival.disconnect();
      show(0);
    });
    arrival.observe(document, { childList: true, subtree: true });
    document.getElementById("nav-navigator").click(); // where all that it shows stands
  };
  window.dash_clientside.helm.tour = (clicks) => { if (clicks) begin(); return none(); };
  const first = new MutationObserver(() => {
    if (!document.querySelector("#template .brick")) return;
    first.disconnect();
    if (!localStorage.getItem(SEEN) && !navigator.webdriver) show(0);
  });
  first.observe(document, { childList: true, subtree: true });
})();
