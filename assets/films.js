// The film of watched networks on the page Layers: frame after frame, by hand or played; see app/pages/layers/film.py.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const none = () => window.dash_clientside.no_update;
  const held = (id) => { const found = window.dash_component_api.getLayout(id); return found && found.props; };
  const PACE = 300, LONGEST = 20000, REST = 250; // milliseconds: of a frame, of a whole film, until a frame is at rest

  let film = null, at = 0, playing = null, resting = null;
  const last = () => film.steps.length - 1;

  // The layers of a frame in the figure that is drawn, where it is one of the same networks, score and statistic.
  const show = () => {
    const figure = (held("layers-map") || {}).figure;
    if (!figure || !figure.layout || !figure.layout.meta || figure.layout.meta.film !== film.key) return;
    const said = (value) => (value === null ? "undefined" : Number((film.logarithmic ? 10 ** value : value).toPrecision(4)).toString());
    const data = figure.data.map((trace, place) => {
      const z = film.traces[place] && film.traces[place][at];
      if (!z || z.length !== trace.customdata[0].length) return trace;
      return { ...trace, z: [z], customdata: [trace.customdata[0].map((about, k) => [about[0], about[1], said(z[k]), about[3]])] };
    });
    keep("layers-map", { figure: { ...figure, data } });
  };
  // Tables and titles follow where the film rests; at its end the page shows what is newest.
  const rest = () => {
    clearTimeout(resting);
    const moment = at >= last() ? null : film.steps[at];
    const before = (held("layers-moment") || {}).data;
    if (moment !== (before === undefined ? null : before)) keep("layers-moment", { data: moment });
  };
  const stop = () => {
    clearInterval(playing);
    playing = null;
    keep("btn-film", { children: "Play" });
    rest();
  };
  const next = () => {
    if (!film || !held("layers-frame")) { clearInterval(playing); playing = null; return; }
    if (at >= last()) stop();
    else keep("layers-frame", { value: at + 1 });
  };

  // On the slider, space plays; elsewhere it is the run's.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.closest || !event.target.closest(".film-slider")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.getElementById("btn-film").click();
  }, true);

  window.dash_clientside.films = {
    // Frames that were added while the last one was shown are followed; otherwise the step stays.
    known: (told) => {
      const before = film, step = before && before.steps[at];
      const live = !before || at >= before.steps.length - 1;
      film = told;
      if (!film) {
        clearInterval(playing);
        playing = null;
        at = 0;
        if ((held("layers-moment") || {}).data) keep("layers-moment", { data: null });
        return [true, none(), none()];
      }
      const place = film.steps.findIndex((one) => one >= step);
      at = (live && !playing) || place < 0 ? last() : place;
      return [false, last(), at];
    },
    moved: (value, told) => {
      if (!told || !film) return "";
      const place = Math.min(Math.max(Math.round(value), 0), last());
      if (place !== at || playing) {
        at = place;
        show();
      }
      clearTimeout(resting);
      if (!playing) resting = setTimeout(rest, REST);
      return `step ${film.steps[at].toLocaleString("en")}, ${at + 1} of ${film.steps.length}${at === last() ? ", the newest" : ""}`;
    },
    play: () => {
      if (!film) return none();
      if (playing) { stop(); return "Play"; }
      playing = setInterval(next, Math.min(PACE, LONGEST / film.steps.length));
      if (at >= last()) keep("layers-frame", { value: 0 });
      return "Pause";
    },
  };
})();
