// The tooltip of the map: beside its dot, never over it, always inside the map.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const GAP = 14; // px between a dot and its tooltip
  const none = () => window.dash_clientside.no_update;
  const within = (value, most) => Math.max(0, Math.min(value, most));

  // Where a box of `size` goes inside `room`, beside a dot: right of it, else left, else below or above.
  const placed = (dot, size, room) => {
    const middle = within(dot.y - size.height / 2, room.height - size.height);
    if (dot.x + GAP + size.width <= room.width) return { left: dot.x + GAP, top: middle };
    if (dot.x - GAP - size.width >= 0) return { left: dot.x - GAP - size.width, top: middle };
    const left = within(dot.x - size.width / 2, room.width - size.width);
    const below = dot.y + GAP + size.height <= room.height;
    return { left, top: below ? dot.y + GAP : Math.max(0, dot.y - GAP - size.height) };
  };

  let hover = null; // what plotly told last
  const place = () => {
    const tip = document.getElementById("map-tip");
    const point = hover && hover.points && hover.points[0];
    const dot = point && point.bbox && [].concat(point.customdata)[0];
    const told = tip && tip.querySelector("[data-of]");
    const current = told && dot !== undefined && told.dataset.of === String(dot); // that of the dot before is not shown
    if (tip) tip.classList.toggle("shown", Boolean(current));
    if (!current) return;
    const room = tip.parentElement.getBoundingClientRect();
    const chart = document.getElementById("nav-map").getBoundingClientRect();
    const centre = { x: (point.bbox.x0 + point.bbox.x1) / 2 + chart.left - room.left, y: (point.bbox.y0 + point.bbox.y1) / 2 + chart.top - room.top };
    const found = placed(centre, { width: tip.offsetWidth, height: tip.offsetHeight }, { width: room.width, height: room.height });
    tip.style.left = `${found.left}px`;
    tip.style.top = `${found.top}px`;
  };
  window.dash_clientside.map_tip = {
    placed,
    moved: (told) => { hover = told; place(); return none(); },
    told: () => { requestAnimationFrame(place); return none(); }, // children are in the document a moment later
  };
})();
