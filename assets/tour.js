// The tour over the live page.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const none = () => window.dash_clientside.no_update;
  const TOUR = [
    [".space", "The whole space", "Every dot is an architecture, coloured at once by a closed form. Choose other axes and colours above the map."],
    ["#btn-start", "Start", "ZiCo scores stream in and dots turn to diamonds. Pause, close the browser, come back: nothing is lost."],
    [".template", "Steer", "Hover an operation: the map shows what a prune would remove. Click to pin it, × to prune it, u to undo. The search obeys at once."],
    [".table", "Look closer", "Choose a row or a dot (j and k step): the cell, its scores, its layers and the true accuracies appear on the right."],
    ["#nav-correlation", "Doubt", "Correlation says how far a score can be trusted, and what it may merely be counting."],
  ];
  const SEEN = "nas-helm-tour";
  const endTour = () => {
    document.querySelectorAll(".tour").forEach((card) => card.remove());
    document.querySelectorAll(".toured").forEach((panel) => panel.classList.remove("toured"));
    try { localStorage.setItem(SEEN, "yes"); } catch { /* denied: the tour comes again */ }
  };
  const show = (number) => {
    endTour();
    const target = number < TOUR.length && document.querySelector(TOUR[number][0]);
    if (!target) return;
    target.classList.add("toured");
    const card = document.createElement("div");
    card.className = "tour";
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", `Tour, step ${number + 1} of ${TOUR.length}`);
    const title = document.createElement("h3");
    title.textContent = `${number + 1} of ${TOUR.length}: ${TOUR[number][1]}`;
    const text = document.createElement("p");
    text.textContent = TOUR[number][2];
    const next = document.createElement("button");
    next.textContent = number + 1 < TOUR.length ? "Next" : "Done";
    next.addEventListener("click", () => show(number + 1));
    const leave = document.createElement("button");
    leave.textContent = "Leave the tour";
    leave.addEventListener("click", endTour);
    card.append(title, text, next, leave);
    document.body.append(card);
    const box = target.getBoundingClientRect();
    const left = box.right + 320 < window.innerWidth ? box.right + 10 : Math.max(box.left - 320, 10);
    card.style.left = `${Math.min(left, window.innerWidth - 320)}px`;
    card.style.top = `${Math.min(Math.max(box.top, 10), window.innerHeight - card.offsetHeight - 10)}px`;
    next.focus();
  };
  const begin = () => {
    if (document.querySelector(TOUR[0][0])) { show(0); return; }
    const arrival = new MutationObserver(() => {
      if (!document.querySelector(TOUR[0][0])) return;
      arrival.disconnect();
      show(0);
    });
    arrival.observe(document, { childList: true, subtree: true });
    document.getElementById("nav-navigator").click(); // where all that it shows stands
  };
  window.dash_clientside.tour = { start: (clicks) => { if (clicks) begin(); return none(); } };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") endTour(); });
  const first = new MutationObserver(() => {
    if (!document.querySelector("#template .brick")) return;
    first.disconnect();
    let seen = null;
    try { seen = localStorage.getItem(SEEN); } catch { /* denied */ }
    if (!seen && !navigator.webdriver) show(0);
  });
  first.observe(document, { childList: true, subtree: true });
})();
