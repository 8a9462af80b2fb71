// The Template page: what is saved or run is what stands on the page, after all that was pressed and typed before.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const HANDOVER = 40; // ms in which Dash hands on what was typed in the field that a press takes the focus from
  const none = () => window.dash_clientside.no_update;
  const { tell, answered, opened } = window.dash_clientside.acts.queue("template-act", "template-layers");

  window.dash_clientside.template = {
    opened,
    answered,
    press: (what) => {
      const store = /^template:(json|run)$/.test(what) ? "template-wanted" : "template-act";
      setTimeout(() => tell(store, { kind: "press", words: what.split(":") }), HANDOVER);
    },
    edit: (...values) => {
      const key = values.pop();
      if (key) tell("template-act", { kind: "edit", values, key });
      return none();
    },
    open: () => {
      const [{ prop_id: chosen, value }] = window.dash_clientside.callback_context.triggered;
      const [id, prop] = chosen.split(".");
      if (!value) return none();
      tell("template-act", { kind: "open", source: id.replace("template-", ""), value });
      window.dash_clientside.set_props(id, { [prop]: null }); // so that it can be chosen again
      return none();
    },
    rename: (name, ...image) => {
      if (name && image.every((size) => size !== null && size !== undefined)) tell("template-act", { kind: "rename", name, image });
      return none();
    },
  };

  // Lines from the image through the blocks of every layer to the classes: they meet behind a layer in a circle where
  // its blocks are summed, at a bar where they are concatenated. Measured from what is drawn, so that they always fit.
  const SVG = "http://www.w3.org/2000/svg", REACH = 17, RADIUS = 6; // pixels
  const line = (x0, y0, x1, y1) => `M${x0} ${y0} C${(x0 + x1) / 2} ${y0} ${(x0 + x1) / 2} ${y1} ${x1} ${y1}`;
  const part = (svg, name, attributes) => {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    svg.appendChild(made);
  };
  const placed = (view, element) => {
    const outer = view.getBoundingClientRect(), inner = element.getBoundingClientRect();
    const left = inner.left - outer.left + view.scrollLeft, top = inner.top - outer.top + view.scrollTop;
    return { left, right: left + inner.width, middle: top + inner.height / 2 };
  };
  const drawFlow = (view) => {
    const columns = Array.from(document.querySelectorAll("#template-layers > [data-flow]"));
    let svg = view.querySelector(":scope > .lego-flow");
    if (!svg) {
      svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("class", "lego-flow");
      svg.setAttribute("aria-hidden", "true");
      view.appendChild(svg);
    }
    svg.replaceChildren();
    svg.setAttribute("width", document.getElementById("template-layers").scrollWidth);
    svg.setAttribute("height", document.getElementById("template-layers").scrollHeight);
    const joints = []; // drawn last, above the lines that meet in them
    let from = null; // where what the layer before gives comes out
    columns.forEach((column) => {
      const place = placed(view, column);
      if (column.dataset.flow === "in") { from = [place.right, place.middle]; return; }
      if (column.dataset.flow === "out") { part(svg, "path", { d: line(...from, place.left, place.middle) }); return; }
      const blocks = Array.from(column.querySelectorAll('[data-flow="block"]'), (block) => placed(view, block));
      const middles = blocks.map((block) => block.middle);
      const height = (Math.min(...middles) + Math.max(...middles)) / 2, joins = place.right + REACH;
      blocks.forEach((block) => {
        part(svg, "path", { d: line(...from, block.left, block.middle) });
        const end = column.dataset.flow === "concat" ? block.middle : height;
        part(svg, "path", { d: line(block.right, block.middle, joins, end) });
      });
      if (blocks.length > 1 && column.dataset.flow === "sum") {
        joints.push(["circle", { class: "join", cx: joins, cy: height, r: RADIUS }]);
        joints.push(["path", { class: "sign", d: `M${joins - 3} ${height} h6 M${joins} ${height - 3} v6` }]);
      } else if (blocks.length > 1) {
        joints.push(["path", { class: "join", d: `M${joins} ${Math.min(...middles) - RADIUS} V${Math.max(...middles) + RADIUS}` }]);
      }
      from = [joins, height];
    });
    joints.forEach(([name, attributes]) => part(svg, name, attributes));
  };
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      const view = document.getElementById("template-scroll");
      if (view) drawFlow(view); // of a given space there is nothing to connect, and lines of before go
    });
  };
  const sizes = new ResizeObserver(soon);
  window.dash_clientside.template.flow = () => {
    const view = document.getElementById("template-layers");
    sizes.disconnect();
    if (view) [view, ...view.children].forEach((element) => sizes.observe(element));
    soon();
    return none();
  };

  // The field that takes a file has no label of its own for those who hear the page.
  new MutationObserver(() => {
    const field = document.querySelector("#template-upload input[type=file]:not([aria-label])");
    if (field) field.setAttribute("aria-label", "Load JSON");
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
