// How updates reach the page: one question at a time about the run that is open; see app/live.py.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const EVERY = 500, HIDDEN = 2000, PATIENCE = 4000; // milliseconds
  const none = () => window.dash_clientside.no_update;
  const keep = (id, props) => window.dash_clientside.set_props(id, props);
  const config = () => JSON.parse(document.getElementById("_dash-config").textContent);
  let run = null, last = null, asking = null, timer = null, beats = 0, lostSince = null, watched = "";
  let heardAt = Date.now();

  const later = (wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };
  const ask = async () => {
    if (asking || !run) return;
    const asked = run;
    asking = new AbortController();
    const limit = setTimeout(() => asking.abort(), PATIENCE);
    const mark = last && last.run === run && last.mark ? last.mark : { steady: "", scores: "", at: 0 };
    try {
      const answer = await fetch(`${config().requests_pathname_prefix}_live/${encodeURIComponent(asked)}?${new URLSearchParams(mark)}`, { signal: asking.signal });
      if (!answer.ok) throw new Error(answer.status);
      hear(asked, await answer.json());
    } catch { lose(); }
    clearTimeout(limit);
    asking = null;
    later(document.hidden ? HIDDEN : EVERY);
  };
  // An act is answered with its pulse: what was asked before it and comes after it is no news.
  const known = ({ mark }) => {
    const now = window.dash_component_api.getLayout("pulse");
    const held = now && now.props.data;
    if (!held || held.run !== run || !held.mark) return false;
    return held.mark.at >= mark.at || (String(held.mark.steady) === String(mark.steady) && held.mark.scores === mark.scores);
  };
  const hear = (asked, told) => {
    heardAt = Date.now();
    find();
    if (asked !== run) return;
    if (told.pulse && !known(told.pulse)) keep("pulse", { data: told.pulse });
    if (told.watched && told.watched !== watched) {
      watched = told.watched;
      keep("watched", { data: watched });
    }
    beats += 1;
    keep("timer", { n_intervals: beats });
    pace(told);
  };
  const lasting = (seconds) => {
    if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s left`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`;
  };
  const pace = (told) => {
    const place = document.getElementById("run-pace");
    if (!place) return;
    const running = last && last.run === run && last.state === "running";
    let text = "";
    if (running) text = told.rate ? [`${told.rate < 10 ? told.rate.toPrecision(2) : Math.round(told.rate)} a second`, told.left ? lasting(told.left) : ""].filter(Boolean).join(" · ") : "measuring the rate";
    if (place.textContent !== text) place.textContent = text;
  };

  // Contact lost: data stays, drained of colour; presses are told as not done; it is tried again by itself.
  const clock = (at) => new Date(at).toTimeString().slice(0, 8);
  const lose = () => {
    if (Date.now() - heardAt < PATIENCE) return; // one question may fail
    lostSince = lostSince || heardAt;
    const seconds = Math.round((Date.now() - heardAt) / 1000);
    document.body.classList.add("lost");
    const text = `No answer for ${seconds} s, last heard ${clock(heardAt)}; the search may go on. Trying again by itself. Nothing can be pressed meanwhile.`;
    document.getElementById("lost-text").textContent = text;
    document.getElementById("lost").hidden = false;
  };
  const find = () => {
    if (!lostSince) return;
    lostSince = null;
    document.body.classList.remove("lost");
    document.getElementById("lost").hidden = true;
    document.getElementById("lost-text").textContent = ""; // what was said of contact found again is not said of the next loss
  };
  const notDone = (why) => keep("notifications", { sendNotifications: [{ action: "show", id: `lost${Date.now()}`, title: "Not done", message: why, color: "red" }] });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#btn-try-now")) { later(0); return; }
    if (!lostSince || !event.target.closest("button, [data-press], a[download]") || event.target.closest("[data-local], #lost")) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    notDone("NAS Helm does not answer; press again once it does.");
  }, true);
  // A press that was on its way when contact broke is told, too: Dash alone says nothing.
  const fetched = window.fetch.bind(window);
  window.fetch = async (...of) => {
    try {
      return await fetched(...of);
    } catch (error) {
      const body = String((of[1] || {}).body || "");
      if (/"changedPropIds":\["((pressed|steered)\.data|btn-[^"]*\.n_clicks)"/.test(body)) notDone("NAS Helm did not answer; press again once it does.");
      throw error;
    }
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
  // A browser that slept may have lost its timer.
  setInterval(() => { if (!asking && Date.now() - heardAt > 3 * HIDDEN) later(0); }, HIDDEN);

  window.dash_clientside.live = {
    open: (opened) => {
      run = opened;
      if (run) later(0);
      return none();
    },
    heard: (pulse) => { last = pulse; return none(); },
  };
})();
