// Keys of the pages; silent while something is typed or a dialog is open.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const TYPED = "input:not([type=radio]):not([type=checkbox]):not([type=range]):not([readonly]), textarea, select, [contenteditable=true]";
  const step = (by) => {
    const grid = window.dash_ag_grid && document.getElementById("candidates") && window.dash_ag_grid.getApi("candidates");
    if (!grid) return;
    const rows = [];
    grid.forEachNodeAfterFilterAndSort((row) => rows.push(row.id));
    const chosen = new URLSearchParams(window.location.search).get("arch");
    const next = rows[Math.min(Math.max(rows.indexOf(chosen) + by, 0), rows.length - 1)];
    if (!next) return;
    keep("picked", { data: next });
    grid.ensureIndexVisible(rows.indexOf(next));
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPED)) return;
    if (Array.from(document.querySelectorAll("[role=dialog]")).some((dialog) => dialog.offsetParent !== null)) return;
    const brick = document.activeElement && document.activeElement.closest("[data-brick]");
    const press = (id) => {
      const found = document.getElementById(id);
      if (found) { found.click(); event.preventDefault(); }
    };
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (event.key === "u") press("btn-undo");
    if (event.key === "?") press("btn-help");
    const picker = document.getElementById("run-picker");
    if (event.key === "/" && picker && !document.getElementById("runs-search")) {
      event.preventDefault(); // else the key is typed into the field
      picker.focus();
      picker.click();
    }
    if (event.key === "l") document.querySelectorAll("[data-tool=lasso]").forEach((tool) => tool.click());
    if (event.key === "Escape" && document.querySelector("#region-card:not([hidden])")) press("btn-clear");
    if (event.key === "p" && brick) brick.querySelector(".pin").click();
    if (event.key === "x" && brick) brick.querySelector(".prune").click();
    if (event.key === " " && !event.target.closest("button, a")) {
      const pause = document.getElementById("btn-pause");
      press(pause && !pause.disabled ? "btn-pause" : "btn-start");
    }
  });

})();
