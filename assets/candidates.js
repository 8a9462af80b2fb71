// The table of candidates: where it is narrow, columns that repeat one word in every row leave.
(() => {
  const NARROW = [["known", 1100]]; // px of the table below which a column leaves
  const table = () => document.getElementById("candidates");
  const grid = () => {
    try { return (table() && window.dash_ag_grid && window.dash_ag_grid.getApi("candidates")) || null; } catch { return null; }
  };
  const fit = new ResizeObserver(([{ contentRect }]) => {
    const api = grid();
    if (!api || !contentRect.width) return;
    for (const [name, least] of NARROW) {
      const held = api.getColumn(name);
      const shown = contentRect.width >= least;
      if (held && held.isVisible() !== shown) api.setColumnsVisible([name], shown);
    }
  });
  let watched = null;
  new MutationObserver(() => {
    if (table() === watched) return;
    if (watched) fit.unobserve(watched);
    watched = table();
    if (watched) setTimeout(() => { if (watched) fit.observe(watched); }, 500); // once its columns are there
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
