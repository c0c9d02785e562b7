"""Runs migrations on the connection handed over by `server.app.schema`."""

from alembic import context

from core.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
