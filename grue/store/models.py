"""The tables of the store.

A run is one row of ``runs``; what came out of each of its tasks is one row of ``results``. What many results share
stands once: what was asked of the task (``asked``) and which metrics it was scored by (``suites``). Their ids are
hashes of their content, so that no order of insertion shows anywhere.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Double, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from grue.store.text import AnyText, plain_text


class Base(DeclarativeBase):
    """The tables' common list."""


class RunModel(Base):
    """One run directory."""

    __tablename__ = "runs"

    run_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    identity: Mapped[str] = mapped_column(AnyText)
    entry_key: Mapped[str] = mapped_column(plain_text())
    created_at: Mapped[str] = mapped_column(AnyText)
    created_microseconds: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(AnyText)
    kind: Mapped[str] = mapped_column(AnyText)
    source: Mapped[str] = mapped_column(AnyText)
    mark: Mapped[str] = mapped_column(plain_text())
    seed: Mapped[int] = mapped_column(BigInteger)
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(plain_text())
    setting: Mapped[str] = mapped_column(AnyText)
    path: Mapped[str] = mapped_column(AnyText)
    checksum: Mapped[str] = mapped_column(plain_text())
    manifest_sha256: Mapped[str] = mapped_column(plain_text())
    grue: Mapped[float | None] = mapped_column(Double)
    grue_low: Mapped[float | None] = mapped_column(Double)
    grue_high: Mapped[float | None] = mapped_column(Double)
    grue_reason: Mapped[str | None] = mapped_column(AnyText)
    naturalness: Mapped[float | None] = mapped_column(Double)
    naturalness_low: Mapped[float | None] = mapped_column(Double)
    naturalness_high: Mapped[float | None] = mapped_column(Double)
    naturalness_reason: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (
        Index("runs_by_time", "created_microseconds", "run_id"),
        Index("runs_by_setting", "setting"),
        Index("runs_by_entry", "entry_key"),
    )


class AskedModel(Base):
    """What was asked of a task: the comparison key but for the signature, and what is shown beside it."""

    __tablename__ = "asked"

    asked_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    task: Mapped[str] = mapped_column(plain_text())
    version: Mapped[int] = mapped_column(BigInteger)
    split: Mapped[str] = mapped_column(AnyText)
    data_sha256: Mapped[str] = mapped_column(AnyText)
    prompts_sha256: Mapped[str] = mapped_column(AnyText)
    profile: Mapped[str] = mapped_column(AnyText)
    data_source: Mapped[str] = mapped_column(AnyText)
    data_rows: Mapped[int] = mapped_column(BigInteger)
    row_limit: Mapped[int | None] = mapped_column(BigInteger)
    samples: Mapped[int] = mapped_column(BigInteger)
    primary_metrics: Mapped[str] = mapped_column(AnyText)


class SuiteModel(Base):
    """All that is not a number in the metrics and rewards of a result, as JSON, in the order of the numbers."""

    __tablename__ = "suites"

    suite_id: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    metrics: Mapped[str] = mapped_column(AnyText)


class ResultModel(Base):
    """One task of one run.

    ``numbers`` holds value, lower bound, upper bound and rows of every metric and reward of the suite, as
    little-endian 64-bit floats, NaN where there is none: a board of 280,000 numbers is read at once that way.
    """

    __tablename__ = "results"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True)
    task: Mapped[str] = mapped_column(plain_text(), primary_key=True)
    position: Mapped[int]
    asked_id: Mapped[str] = mapped_column(ForeignKey("asked.asked_id"))
    suite_id: Mapped[str] = mapped_column(ForeignKey("suites.suite_id"))
    numbers: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(AnyText)
    error: Mapped[str | None] = mapped_column(AnyText)
    expected: Mapped[int] = mapped_column(BigInteger)
    scored: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    quality: Mapped[float | None] = mapped_column(Double)
    quality_low: Mapped[float | None] = mapped_column(Double)
    quality_high: Mapped[float | None] = mapped_column(Double)
    quality_reason: Mapped[str | None] = mapped_column(AnyText)
    naturalness: Mapped[float | None] = mapped_column(Double)
    naturalness_low: Mapped[float | None] = mapped_column(Double)
    naturalness_high: Mapped[float | None] = mapped_column(Double)
    naturalness_reason: Mapped[str | None] = mapped_column(AnyText)

    __table_args__ = (Index("results_by_task", "task"),)


class SupersessionModel(Base):
    """A decision: a run that takes the place of another. Its runs may be elsewhere, so no key points to them."""

    __tablename__ = "supersessions"

    old_run_id: Mapped[str] = mapped_column(AnyText, primary_key=True)
    new_run_id: Mapped[str] = mapped_column(AnyText)
    reason: Mapped[str] = mapped_column(AnyText)
    decided_at: Mapped[str] = mapped_column(AnyText)


class StateModel(Base):
    """One row: whether the transaction that sees it makes the index again, which alone may remove results."""

    __tablename__ = "store_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_rebuilding: Mapped[bool] = mapped_column(Boolean)
