"""How the tables of an older store become those of today: Alembic's versions, carried out by `_schema` on opening."""
