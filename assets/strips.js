// Strips of architectures in tables, see app/strip.py, and the notation of one, to be copied.
window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
(() => {
  const make = (...of) => window.React.createElement(...of);
  const COPIED = 1500; // ms for which a button says that it did

  // One segment: the choice that the legend of the column names, as `app.strip` draws it elsewhere.
  const segment = (about, choice, dead) => {
    const [name, meaning, colour, held] = about.choices[choice];
    const said = (meaning.startsWith(about.decision) ? meaning : `${about.decision} ${meaning}`) + (dead ? ", no live path" : "");
    const looks = ["segment", !name && "narrow", dead && "dead", !held && "out", about.first && "first"].filter(Boolean).join(" ");
    return { said, held, drawn: make("span", { key: about.decision, className: looks, style: { "--op": colour }, title: said }, name) };
  };
  window.dashAgGridComponentFunctions.Strip = ({ data, value, legend }) => {
    if (!data || !data.strip || !legend) return make("span", null, value);
    const dead = new Set(data.dead || []);
    const parts = data.strip.map((choice, d) => segment(legend[d], choice, dead.has(d)));
    const said = parts.filter((part) => part.held).map((part) => part.said).join("; ");
    return make("span", { className: "strip", role: "img", "aria-label": said }, parts.map((part) => part.drawn));
  };

  const write = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { return false; } // denied, or a page that is not secure
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest && event.target.closest("[data-copy]");
    if (!button) return;
    const before = button.textContent;
    const done = await write(button.dataset.copy);
    const notation = button.closest(".notation-of");
    if (!done && notation) window.getSelection().selectAllChildren(notation.querySelector(".arch"));
    button.textContent = done ? "Copied" : "Press Ctrl C";
    setTimeout(() => { button.textContent = before; }, COPIED);
  });
})();
