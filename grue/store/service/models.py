"""The tables of what is born in the database: no rebuild touches them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from grue.store.models import Base
from grue.store.text import AnyText, plain_text


class UserModel(Base):
    """An account; ``name_key`` is its name without regard to case."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    name: Mapped[str] = mapped_column(AnyText)
    name_key: Mapped[str] = mapped_column(AnyText, unique=True)
    role: Mapped[str] = mapped_column(plain_text())
    password_hash: Mapped[str | None] = mapped_column(plain_text())
    is_disabled: Mapped[bool] = mapped_column(Boolean)
    scored_per_day: Mapped[int | None] = mapped_column(BigInteger)
    attempts_per_day: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[str] = mapped_column(plain_text())


class IdentityModel(Base):
    """An account as an identity provider knows it."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(AnyText, primary_key=True)
    subject: Mapped[str] = mapped_column(AnyText, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))

    __table_args__ = (Index("identities_by_user", "user_id"),)


class SignInModel(Base):
    """A browser that is signed in."""

    __tablename__ = "sign_ins"

    secret_sha256: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[str] = mapped_column(plain_text())
    expires_at: Mapped[str] = mapped_column(plain_text())

    __table_args__ = (Index("sign_ins_by_user", "user_id"), Index("sign_ins_by_end", "expires_at"))


class TokenModel(Base):
    """A token; its scopes with blanks between."""

    __tablename__ = "tokens"

    token_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(plain_text(), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    label: Mapped[str] = mapped_column(AnyText)
    scopes: Mapped[str] = mapped_column(plain_text())
    created_at: Mapped[str] = mapped_column(plain_text())
    expires_at: Mapped[str | None] = mapped_column(plain_text())
    last_used_at: Mapped[str | None] = mapped_column(plain_text())
    revoked_at: Mapped[str | None] = mapped_column(plain_text())

    __table_args__ = (Index("tokens_by_user", "user_id"),)


class InviteModel(Base):
    """A link by which one account is made."""

    __tablename__ = "invites"

    invite_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(plain_text(), unique=True)
    role: Mapped[str] = mapped_column(plain_text())
    created_by: Mapped[str] = mapped_column(AnyText)
    created_at: Mapped[str] = mapped_column(plain_text())
    expires_at: Mapped[str] = mapped_column(plain_text())
    used_by: Mapped[str | None] = mapped_column(plain_text())


class AttemptsModel(Base):
    """Checked uploads of an account on a day (UTC)."""

    __tablename__ = "attempts"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    day: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)


class SubmissionModel(Base):
    """A submission; ``day`` is the one (UTC) whose quota it counts in while ``is_charged``."""

    __tablename__ = "submissions"

    submission_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    name: Mapped[str] = mapped_column(AnyText)
    kind: Mapped[str] = mapped_column(plain_text())
    upload: Mapped[str] = mapped_column(AnyText)
    model: Mapped[str] = mapped_column(AnyText)
    revision: Mapped[str] = mapped_column(AnyText)
    split: Mapped[str] = mapped_column(AnyText)
    tasks: Mapped[str] = mapped_column(AnyText)
    is_public: Mapped[bool] = mapped_column(Boolean)
    is_hidden: Mapped[bool] = mapped_column(Boolean)
    description: Mapped[str] = mapped_column(AnyText)
    url: Mapped[str] = mapped_column(AnyText)
    licence: Mapped[str] = mapped_column(AnyText)
    trained_on: Mapped[str] = mapped_column(AnyText)
    contamination: Mapped[str] = mapped_column(AnyText)
    rows: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str] = mapped_column(plain_text())
    created_at: Mapped[str] = mapped_column(plain_text())
    day: Mapped[str] = mapped_column(plain_text())
    is_charged: Mapped[bool] = mapped_column(Boolean)
    published_at: Mapped[str | None] = mapped_column(plain_text())
    withdrawn_at: Mapped[str | None] = mapped_column(plain_text())
    texts_deleted_at: Mapped[str | None] = mapped_column(plain_text())
    removed_at: Mapped[str | None] = mapped_column(plain_text())
    removed_reason: Mapped[str | None] = mapped_column(AnyText)
    released_at: Mapped[str | None] = mapped_column(plain_text())
    # The run may leave the index with its directory, so no key points to it; two submissions never share one.
    run_id: Mapped[str | None] = mapped_column(plain_text(), unique=True)
    scores: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (
        Index("submissions_by_user", "user_id", "day"),
        Index("submissions_by_content", "content_sha256"),
        Index("submissions_by_release", "is_hidden", "released_at"),
    )


class JobModel(Base):
    """What is to be done for a submission; only its latest attempt may change it."""

    __tablename__ = "jobs"

    job_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.submission_id"), unique=True)
    status: Mapped[str] = mapped_column(plain_text())
    attempt: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str | None] = mapped_column(AnyText)
    lease_until: Mapped[str | None] = mapped_column(plain_text())
    reason: Mapped[str | None] = mapped_column(plain_text())
    detail: Mapped[str | None] = mapped_column(AnyText)
    created_at: Mapped[str] = mapped_column(plain_text())
    queued_at: Mapped[str] = mapped_column(plain_text())
    started_at: Mapped[str | None] = mapped_column(plain_text())
    step_started_at: Mapped[str | None] = mapped_column(plain_text())
    finished_at: Mapped[str | None] = mapped_column(plain_text())
    progress: Mapped[str | None] = mapped_column(AnyText)
    faults: Mapped[int] = mapped_column(Integer)
    losses: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("jobs_by_status", "status", "queued_at", "job_id"),
        Index("jobs_by_end", "finished_at"),
    )


class LogModel(Base):
    """A line of a job's log."""

    __tablename__ = "job_log"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(plain_text())
    attempt: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(AnyText)


class WorkerModel(Base):
    """When a worker was last heard of, and the job it had then."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(AnyText, primary_key=True)
    last_seen: Mapped[str] = mapped_column(plain_text())
    doing: Mapped[str | None] = mapped_column(plain_text())


class HiddenRunModel(Base):
    """A run that a host has hidden."""

    __tablename__ = "hidden_runs"

    run_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    reason: Mapped[str] = mapped_column(AnyText)
    hidden_at: Mapped[str] = mapped_column(plain_text())


class ClosedTaskModel(Base):
    """A task that takes no submissions."""

    __tablename__ = "closed_tasks"

    task: Mapped[str] = mapped_column(plain_text(), primary_key=True)


class AuditModel(Base):
    """Who did what, and when."""

    __tablename__ = "audit_log"

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[str] = mapped_column(plain_text())
    actor: Mapped[str] = mapped_column(AnyText)
    action: Mapped[str] = mapped_column(plain_text())
    thing: Mapped[str] = mapped_column(AnyText)
    detail: Mapped[str] = mapped_column(AnyText)


class BoardStateModel(Base):
    """One row: a number that grows with every change of what public pages show."""

    __tablename__ = "board_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
