"""What is born in the database: accounts, submissions, the queue, decisions of hosts, and the audit log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from grue.store.text import AnyText, plain_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "audit_log",
    "closed_tasks",
    "hidden_runs",
    "workers",
    "job_log",
    "jobs",
    "submissions",
    "attempts",
    "invites",
    "tokens",
    "sign_ins",
    "identities",
    "users",
    "board_state",
)
# No directory holds these a second time.
_KEPT = {
    "users": ("DELETE",),
    "submissions": ("DELETE",),
    "jobs": ("DELETE",),
    "audit_log": ("UPDATE", "DELETE"),
}
_MESSAGE = "accounts, submissions, jobs and the audit log are never deleted"


def upgrade() -> None:
    """Make the tables and triggers."""
    _accounts()
    _submissions()
    _queue()
    _decisions()
    _guard()


def downgrade() -> None:
    """Remove them all."""
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION grue_keep()")


def _accounts() -> None:
    op.create_table(
        "users",
        _id("user_id"),
        _text("name"),
        _text("name_key", unique=True),
        _name("role"),
        _name("password_hash", nullable=True),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("scored_per_day", sa.BigInteger()),
        sa.Column("attempts_per_day", sa.BigInteger()),
        _name("created_at"),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", AnyText(), primary_key=True),
        sa.Column("subject", AnyText(), primary_key=True),
        _user(),
    )
    op.create_index("identities_by_user", "identities", ["user_id"])
    op.create_table("sign_ins", _id("secret_sha256"), _user(), _name("created_at"), _name("expires_at"))
    op.create_index("sign_ins_by_user", "sign_ins", ["user_id"])
    op.create_index("sign_ins_by_end", "sign_ins", ["expires_at"])
    op.create_table(
        "tokens",
        _id("token_id"),
        _name("secret_sha256", unique=True),
        _user(),
        _text("label"),
        _name("scopes"),
        _name("created_at"),
        _name("expires_at", nullable=True),
        _name("last_used_at", nullable=True),
        _name("revoked_at", nullable=True),
    )
    op.create_index("tokens_by_user", "tokens", ["user_id"])
    op.create_table(
        "invites",
        _id("invite_id"),
        _name("secret_sha256", unique=True),
        _name("role"),
        _text("created_by"),
        _name("created_at"),
        _name("expires_at"),
        _name("used_by", nullable=True),
    )
    op.create_table(
        "attempts",
        sa.Column("user_id", plain_text(), sa.ForeignKey("users.user_id"), primary_key=True),
        _id("day"),
        sa.Column("used", sa.BigInteger(), nullable=False),
    )


def _submissions() -> None:
    op.create_table(
        "submissions",
        _id("submission_id"),
        _user(),
        _text("name"),
        _name("kind"),
        *(_text(name) for name in ("upload", "model", "revision", "split", "tasks")),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        *(_text(name) for name in ("description", "url", "licence", "trained_on", "contamination")),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        _name("content_sha256"),
        _name("created_at"),
        _name("day"),
        sa.Column("is_charged", sa.Boolean(), nullable=False),
        *(_name(f"{name}_at", nullable=True) for name in ("published", "withdrawn", "texts_deleted", "removed")),
        _text("removed_reason", nullable=True),
        _name("released_at", nullable=True),
        _name("run_id", nullable=True, unique=True),
        _text("scores", nullable=True),
    )
    op.create_index("submissions_by_user", "submissions", ["user_id", "day"])
    op.create_index("submissions_by_content", "submissions", ["content_sha256"])
    op.create_index("submissions_by_release", "submissions", ["is_hidden", "released_at"])


def _queue() -> None:
    op.create_table(
        "jobs",
        _id("job_id"),
        sa.Column(
            "submission_id", plain_text(), sa.ForeignKey("submissions.submission_id"), nullable=False, unique=True
        ),
        _name("status"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _text("worker", nullable=True),
        _name("lease_until", nullable=True),
        _name("reason", nullable=True),
        _text("detail", nullable=True),
        _name("created_at"),
        _name("queued_at"),
        *(_name(f"{name}_at", nullable=True) for name in ("started", "step_started", "finished")),
        _text("progress", nullable=True),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
    )
    op.create_index("jobs_by_status", "jobs", ["status", "queued_at", "job_id"])
    op.create_index("jobs_by_end", "jobs", ["finished_at"])
    op.create_table(
        "job_log",
        sa.Column("job_id", plain_text(), sa.ForeignKey("jobs.job_id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _name("at"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _text("text"),
    )
    op.create_table(
        "workers",
        sa.Column("name", AnyText(), primary_key=True),
        _name("last_seen"),
        _name("doing", nullable=True),
    )


def _decisions() -> None:
    op.create_table("hidden_runs", _id("run_id"), _text("reason"), _name("hidden_at"))
    op.create_table("closed_tasks", _id("task"))
    op.create_table(
        "audit_log",
        sa.Column("number", sa.Integer(), primary_key=True),
        _name("at"),
        _text("actor"),
        _name("action"),
        _text("thing"),
        _text("detail"),
    )
    op.create_table(
        "board_state",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO board_state (id, version) VALUES (1, 1)")


def _id(name: str) -> sa.Column[Any]:
    return sa.Column(name, plain_text(), primary_key=True)


def _user() -> sa.Column[Any]:
    return sa.Column("user_id", plain_text(), sa.ForeignKey("users.user_id"), nullable=False)


def _name(name: str, *, nullable: bool = False, unique: bool = False) -> sa.Column[Any]:
    return sa.Column(name, plain_text(), nullable=nullable, unique=unique or None)


def _text(name: str, *, nullable: bool = False, unique: bool = False) -> sa.Column[Any]:
    return sa.Column(name, AnyText(), nullable=nullable, unique=unique or None)


def _guard() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if is_postgres:
        body = f"BEGIN RAISE EXCEPTION '{_MESSAGE}'; END"
        op.execute(f"CREATE FUNCTION grue_keep() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for table, events in _KEPT.items():
        for event in events:
            head = f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event}"
            if is_postgres:
                more = " OR TRUNCATE" if event == "DELETE" else ""
                op.execute(f"{head}{more} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION grue_keep()")
            else:
                op.execute(f"{head} ON {table} BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END")
