// The tour over the live page.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const none = () => window.dash_clientside.no_update;
  const PATIENCE = 15000; // milliseconds that the part of a page may take to be drawn
  let steps = []; // of all pages, told by the frame
  const SEEN = "nas-helm-tour";
  const endTour = () => {
    document.querySelectorAll(".tour").forEach((card) => card.remove());
    document.querySelectorAll(".toured").forEach((panel) => panel.classList.remove("toured"));
    try { localStorage.setItem(SEEN, "yes"); } catch { /* denied: the tour comes again */ }
  };
  const open = (number) => {
    endTour();
    if (number >= steps.length) return;
    const link = document.getElementById(steps[number].link);
    if (link && link.getAttribute("aria-current") !== "page") link.click();
    const began = Date.now();
    const look = () => {
      const target = document.querySelector(steps[number].selector);
      if (target && link && link.getAttribute("aria-current") === "page") show(number, target);
      else if (Date.now() - began < PATIENCE) setTimeout(look, 100);
      else open(number + 1);
    };
    look();
  };
  const button = (text, press) => {
    const made = document.createElement("button");
    made.textContent = text;
    made.dataset.local = "yes";
    made.addEventListener("click", press);
    return made;
  };
  const show = (number, target) => {
    target.classList.add("toured");
    const card = document.createElement("div");
    card.className = "tour";
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", `Tour, step ${number + 1} of ${steps.length}`);
    const title = document.createElement("h2");
    title.textContent = `${number + 1} of ${steps.length}: ${steps[number].title}`;
    const text = document.createElement("p");
    text.textContent = steps[number].text;
    const next = button(number + 1 < steps.length ? "Next" : "Done", () => open(number + 1));
    card.append(title, text, next, button("Leave the tour", endTour));
    document.body.append(card);
    const box = target.getBoundingClientRect();
    const left = box.right + 320 < window.innerWidth ? box.right + 10 : Math.max(box.left - 320, 10);
    card.style.left = `${Math.min(left, window.innerWidth - 320)}px`;
    card.style.top = `${Math.min(Math.max(box.top, 10), window.innerHeight - card.offsetHeight - 10)}px`;
    next.focus();
  };
  window.dash_clientside.tour = {
    know: (told) => { steps = told || []; },
    start: (clicks) => { if (clicks) open(0); return none(); },
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") endTour(); });
  const first = new MutationObserver(() => {
    if (!document.querySelector("#template .brick")) return;
    first.disconnect();
    let seen = null;
    try { seen = localStorage.getItem(SEEN); } catch { /* denied */ }
    if (!seen && !navigator.webdriver && steps.length) open(0);
  });
  first.observe(document, { childList: true, subtree: true });
})();
