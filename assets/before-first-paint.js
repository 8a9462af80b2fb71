// The theme, before anything is drawn: what was chosen here before, else the system's. Storage may be denied.
(() => {
  let chosen = null;
  try { chosen = window.localStorage.getItem("nas-helm-theme"); } catch { /* denied: the system's */ }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = chosen === "dark" || chosen === "light" ? chosen : dark ? "dark" : "light";
  window.helmTheme = theme;
  document.documentElement.setAttribute("data-mantine-color-scheme", theme);
  document.documentElement.dataset.agThemeMode = theme;
})();
