// The frame: theme, links that keep the selection, titles, the options of the run picker, Why?.
window.dash_clientside = window.dash_clientside || {};
window.dashMantineFunctions = window.dashMantineFunctions || {};
(() => {
  const none = () => window.dash_clientside.no_update;
  const root = document.documentElement;
  const wear = (theme) => {
    window.helmTheme = theme;
    root.setAttribute("data-mantine-color-scheme", theme);
    root.dataset.agThemeMode = theme;
    if (document.body) document.body.dataset.agThemeMode = theme;
    window.dash_clientside.set_props("provider", { forceColorScheme: theme });
    return theme;
  };
  window.dash_clientside.theme = {
    toggle: (clicks) => {
      const now = window.helmTheme || "light"; // what was set before first paint; Mantine begins with its own
      if (!clicks) return wear(now);
      const next = now === "dark" ? "light" : "dark";
      try { window.localStorage.setItem("nas-helm-theme", next); } catch { /* kept for this tab only */ }
      return wear(next);
    },
  };
  window.dash_clientside.frame = {
    // Only what all pages share is carried from one to another; see SHARED in app/selection.py.
    links: (search, pathname) => Array.from(document.querySelectorAll("#nav a"), (link) => {
      const path = new URL(link.href).pathname;
      const trimmed = (text) => text.replace(/\/+$/, "") || "/";
      if (trimmed(path) === trimmed(pathname)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      const shared = (search || "").slice(1).split("&").filter((pair) => /^(run|arch|truth)=/.test(pair));
      return path + (shared.length ? `?${shared.join("&")}` : "");
    }),
    title: (pathname, run, runs) => {
      const link = document.querySelector("#nav a[aria-current=page]");
      const held = (runs || []).find((option) => option.value === run);
      document.title = [link ? link.textContent : "No such page", held && held.label, "NAS Helm"].filter(Boolean).join(" · ");
      return none();
    },
  };
  window.dashMantineFunctions.runOption = ({ option }) => {
    const make = window.React.createElement;
    return make("span", { className: "run-option" }, make("b", null, option.label), make("span", null, option.about));
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-why]")) document.getElementById("why").hidden = !document.getElementById("why").hidden;
  });
  // Mantine says of the box around a button what opens, where only the button itself may say it.
  const SAID = ["aria-haspopup", "aria-expanded", "aria-controls"];
  new MutationObserver(() => {
    document.querySelectorAll("div[aria-haspopup]").forEach((box) => {
      const button = box.querySelector("button");
      if (button) SAID.filter((name) => box.hasAttribute(name)).forEach((name) => { button.setAttribute(name, box.getAttribute(name)); box.removeAttribute(name); });
    });
  }).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: SAID });
})();
