"""Runs the migrations in the transaction that `nas_core.store._schema` has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
