// The Arena: marks the bricks that are laid in place, so that the one under the finger or the focus stays.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.arena = {
  ...window.dash_clientside.acts.queue("arena-act", "arena-bricks"),
  lay: (draft) => {
    document.querySelectorAll("#arena-bricks [data-press]").forEach((button) => {
      const [decision, choice] = button.dataset.press.split(":").slice(2).map(Number);
      const laid = Array.isArray(draft) && draft[decision] === choice;
      button.setAttribute("aria-pressed", laid);
      button.closest(".brick").classList.toggle("laid", laid);
    });
    return window.dash_clientside.no_update;
  },
};
