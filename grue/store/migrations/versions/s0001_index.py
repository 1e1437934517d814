"""The first tables: runs, their results and decisions, with triggers that refuse to change a result."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from grue.store.text import AnyText, plain_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Decisions stay for ever; of the index a rebuild may remove rows, and nothing ever changes one.
_INDEX = ("runs", "asked", "suites", "results")
_DECISIONS = "supersessions"
_MESSAGE = "results are insert-only; a correction is a new run: grue db supersede OLD NEW --reason TEXT"


def upgrade() -> None:
    """Make the tables and triggers."""
    op.create_table(
        "store_state",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("is_rebuilding", sa.Boolean(), nullable=False),
    )
    op.execute(sa.text("INSERT INTO store_state (id, is_rebuilding) VALUES (1, :no)").bindparams(no=False))
    op.create_table(
        "runs",
        sa.Column("run_id", plain_text(), primary_key=True),
        sa.Column("identity", AnyText(), nullable=False),
        sa.Column("entry_key", plain_text(), nullable=False),
        sa.Column("created_at", AnyText(), nullable=False),
        sa.Column("created_microseconds", sa.BigInteger(), nullable=False),
        sa.Column("name", AnyText(), nullable=False),
        sa.Column("kind", AnyText(), nullable=False),
        sa.Column("source", AnyText(), nullable=False),
        sa.Column("mark", plain_text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("parameters", sa.BigInteger()),
        sa.Column("status", plain_text(), nullable=False),
        sa.Column("setting", AnyText(), nullable=False),
        sa.Column("path", AnyText(), nullable=False),
        sa.Column("checksum", plain_text(), nullable=False),
        sa.Column("manifest_sha256", plain_text(), nullable=False),
        *_score("grue"),
        *_score("naturalness"),
    )
    op.create_index("runs_by_time", "runs", ["created_microseconds", "run_id"])
    op.create_index("runs_by_setting", "runs", ["setting"])
    op.create_index("runs_by_entry", "runs", ["entry_key"])
    op.create_table(
        "asked",
        sa.Column("asked_id", plain_text(), primary_key=True),
        sa.Column("task", plain_text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("split", AnyText(), nullable=False),
        sa.Column("data_sha256", AnyText(), nullable=False),
        sa.Column("prompts_sha256", AnyText(), nullable=False),
        sa.Column("profile", AnyText(), nullable=False),
        sa.Column("data_source", AnyText(), nullable=False),
        sa.Column("data_rows", sa.BigInteger(), nullable=False),
        sa.Column("row_limit", sa.BigInteger()),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("primary_metrics", AnyText(), nullable=False),
    )
    op.create_table(
        "suites",
        sa.Column("suite_id", plain_text(), primary_key=True),
        sa.Column("metrics", AnyText(), nullable=False),
    )
    op.create_table(
        "results",
        sa.Column("run_id", plain_text(), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("task", plain_text(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asked_id", plain_text(), sa.ForeignKey("asked.asked_id"), nullable=False),
        sa.Column("suite_id", plain_text(), sa.ForeignKey("suites.suite_id"), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("status", AnyText(), nullable=False),
        sa.Column("error", AnyText()),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        *_score("quality"),
        *_score("naturalness"),
    )
    op.create_index("results_by_task", "results", ["task"])
    op.create_table(
        _DECISIONS,
        sa.Column("old_run_id", AnyText(), primary_key=True),
        sa.Column("new_run_id", AnyText(), nullable=False),
        sa.Column("reason", AnyText(), nullable=False),
        sa.Column("decided_at", AnyText(), nullable=False),
    )
    _guard()


def downgrade() -> None:
    """Remove them all."""
    for table in ("results", "runs", "asked", "suites", _DECISIONS, "store_state"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION grue_refuse()")
        op.execute("DROP FUNCTION grue_refuse_unless_rebuilding()")


def _score(name: str) -> list[sa.Column[Any]]:
    numbers: list[sa.Column[Any]] = [sa.Column(f"{name}{part}", sa.Double()) for part in ("", "_low", "_high")]
    return [*numbers, sa.Column(f"{name}_reason", AnyText())]


def _guard() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if is_postgres:
        _function("grue_refuse", f"RAISE EXCEPTION '{_MESSAGE}';")
        _function(
            "grue_refuse_unless_rebuilding",
            f"IF NOT (SELECT is_rebuilding FROM store_state) THEN RAISE EXCEPTION '{_MESSAGE}'; END IF; RETURN NULL;",
        )
    for table in (*_INDEX, _DECISIONS):
        for event in ("UPDATE", "DELETE"):
            unless = event == "DELETE" and table in _INDEX
            head = f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event}"
            if is_postgres:
                function = "grue_refuse_unless_rebuilding" if unless else "grue_refuse"
                more = " OR TRUNCATE" if event == "DELETE" else ""
                op.execute(f"{head}{more} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")
            else:
                when = " WHEN NOT (SELECT is_rebuilding FROM store_state)" if unless else ""
                op.execute(f"{head} ON {table}{when} BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END")


def _function(name: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
