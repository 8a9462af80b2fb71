// The dock of the Navigator: a press makes it taller, another as it was.
(() => {
  document.addEventListener("click", (event) => {
    const grow = event.target.closest && event.target.closest("[data-grow]");
    if (!grow) return;
    const tall = grow.closest(".navigator").classList.toggle("tall-dock");
    grow.setAttribute("aria-pressed", String(tall));
  });
})();
