// What charts say to those who hear them.
(() => {
  // What a chart shows, for those who hear it: title, axes with their ranges, and how many points are drawn.
  const said = (layout, data) => {
    const plain = (title) => ((title && title.text) || "").replace(/<[^>]*>/g, " ").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").trim();
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
})();
