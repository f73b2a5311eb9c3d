"""What Alembic runs: the migrations, on the connection that `upgrade` hands over."""

from importlib import import_module

from alembic import context

from tool_config.database import metadata

for module in ("tool_config.tables", "xapi.tables", "lti_tool.tables"):
    import_module(module)  # its tables register on the metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
