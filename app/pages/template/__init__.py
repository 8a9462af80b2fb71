"""The page template: layout, callbacks, and the editing of documents."""
