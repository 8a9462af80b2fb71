// What the server refuses is told in its own words; Dash alone says nothing.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const fetched = window.fetch.bind(window);
  window.fetch = async (...of) => {
    const answer = await fetched(...of);
    const plain = (answer.headers.get("Content-Type") || "").startsWith("text/plain");
    if (plain && answer.status >= 400 && answer.status < 500) {
      const message = (await answer.clone().text()).trim();
      const told = { action: "show", id: `refused${answer.status}`, title: "Not done", message, color: "red" };
      window.dash_clientside.set_props("notifications", { sendNotifications: [told] });
    }
    return answer;
  };
})();
