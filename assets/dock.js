// The dock of the Navigator, and menus that close when something else is pressed.
(() => {
  document.addEventListener("click", (event) => {
    const grow = event.target.closest && event.target.closest("[data-grow]");
    if (grow) {
      const tall = grow.closest(".navigator").classList.toggle("tall-dock");
      grow.setAttribute("aria-pressed", String(tall));
    }
    const chosen = event.target.closest && event.target.closest("[role=listbox], [role=option]");
    document.querySelectorAll("details[data-closes][open]").forEach((menu) => {
      if (!chosen && !menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest && event.target.closest("details[data-closes][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
