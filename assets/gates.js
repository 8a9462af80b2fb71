// What a pulse asks the server: only where there is something to ask, as every question delays those beside it.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const none = () => window.dash_clientside.no_update;
  const now = () => performance.now();
  window.dash_clientside.gates = {
    // A preview: while the pointer rests on a brick, and once more after it left.
    preview: (hovered, pulse, shown) => (hovered || shown ? now() : none()),
    // A download: while one is waited for.
    download: (pulse, wanted) => (wanted ? now() : none()),
    // What is known of the selected architecture: while one is selected.
    known: (pulse, arch, before) => (arch || before ? now() : none()),
    // Words of the region: while one is chosen, and at first.
    region: (scope, count, before) => {
      if (scope) return now();
      return before === "none" ? none() : "none";
    },
    // Columns of the table: acts bring none.
    columns: (run, pulse, truth, before) => {
      const { scored, failed, rescored, trained, state } = pulse || {};
      const key = JSON.stringify([run, truth, scored, failed, rescored, trained, state]);
      return run && key !== before ? key : none();
    },
  };
})();
