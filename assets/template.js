// The Template page: what is saved or run is what stands on the page, after all that was pressed and typed before.
window.dash_clientside = window.dash_clientside || {};
(() => {
  const HANDOVER = 40; // ms in which Dash hands on what was typed in the field that a press takes the focus from
  const none = () => window.dash_clientside.no_update;
  const { tell, answered, opened } = window.dash_clientside.acts.queue("template-act", "template-layers");

  window.dash_clientside.template = {
    opened,
    answered,
    press: (what) => {
      const store = /^template:(json|run)$/.test(what) ? "template-wanted" : "template-act";
      setTimeout(() => tell(store, { kind: "press", words: what.split(":") }), HANDOVER);
    },
    edit: (...values) => {
      const key = values.pop();
      if (key) tell("template-act", { kind: "edit", values, key });
      return none();
    },
    open: () => {
      const [{ prop_id: chosen, value }] = window.dash_clientside.callback_context.triggered;
      const [id, prop] = chosen.split(".");
      if (!value) return none();
      tell("template-act", { kind: "open", source: id.replace("template-", ""), value });
      window.dash_clientside.set_props(id, { [prop]: null }); // so that it can be chosen again
      return none();
    },
    rename: (name, ...image) => {
      if (name && image.every((size) => size !== null && size !== undefined)) tell("template-act", { kind: "rename", name, image });
      return none();
    },
  };
})();
