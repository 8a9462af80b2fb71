"""One module a version. Each spells its tables out, so that later changes of `_tables` do not reach it."""
