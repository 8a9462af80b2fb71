// The theme, before anything is drawn: what was chosen here before, else the system's. Storage may be denied.
(() => {
  let chosen = null;
  try { chosen = window.localStorage.getItem("nas-helm-theme"); } catch { /* denied: the system's */ }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = chosen === "dark" || chosen === "light" ? chosen : dark ? "dark" : "light";
  window.helmTheme = theme;
  document.documentElement.setAttribute("data-mantine-color-scheme", theme);
  document.documentElement.dataset.agThemeMode = theme;
  // Mantine begins with its own theme until the page tells it ours: a frame of white, unless it is put right at once.
  new MutationObserver(() => {
    const root = document.documentElement;
    if (root.getAttribute("data-mantine-color-scheme") !== window.helmTheme) root.setAttribute("data-mantine-color-scheme", window.helmTheme);
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
})();
