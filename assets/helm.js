// The few client-side functions: theme, links that keep the selection, hovering of operation bricks, presses, keys.
window.dash_clientside = window.dash_clientside || {};
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
};
(() => {
  let hovered = null;
  const tell = (event) => {
    const brick = event.target.closest && event.target.closest("[data-brick]");
    const name = brick ? brick.getAttribute("data-brick") : null;
    if (name === hovered || !document.getElementById("nav-map")) return;
    hovered = name;
    window.dash_clientside.set_props("hovered", { data: name });
  };
  document.addEventListener("mouseover", tell);
  document.addEventListener("click", (event) => {
    const source = event.target.closest && event.target.closest("[data-press]");
    if (!source) return;
    window.dash_clientside.set_props("pressed", { data: { what: source.getAttribute("data-press"), at: event.timeStamp } });
  });
  document.addEventListener("focusin", tell);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    const brick = document.activeElement && document.activeElement.closest("[data-brick]");
    const press = (id) => { const found = document.getElementById(id); if (found) { found.click(); event.preventDefault(); } };
    if (event.key === "u") press("btn-undo");
    if (event.key === "p" && brick) brick.querySelector(".pin").click();
    if (event.key === "x" && brick) brick.querySelector(".prune").click();
    if (event.key === " " && !event.target.closest("button, a")) {
      const pause = document.getElementById("btn-pause");
      press(pause && !pause.disabled ? "btn-pause" : "btn-start");
    }
  });
})();
