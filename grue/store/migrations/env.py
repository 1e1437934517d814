"""Runs migrations on the connection that the caller holds, inside its transaction."""

from __future__ import annotations

from alembic import context

from grue.store.models import Base
from grue.store.schema import VERSION_TABLE
from grue.store.service import models as service_models  # noqa: F401 - their tables are in the same list

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
