"""Settings of the service: environment variables ``GRUE_…``, then ``grue.toml``; checked when it starts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from grue.core.errors import UsageError
from grue.core.settings import load_settings

SECRET_FILE = "secret-key"
Names = Annotated[tuple[str, ...], NoDecode]


class ServiceSettings(BaseSettings):
    """What a board with submissions is told; every field is the variable ``GRUE_<FIELD>``.

    Attributes:
        home: Folder of caches and local state.
        data: Where the worker reads tasks' rows and labels: ``mini``, ``hub`` or a folder.
        split: The split that submissions are scored on.
        hidden_splits: Splits whose labels, texts and per-sample scores never leave the worker.
        database_url: Address of the database.
        artifacts: fsspec address of uploads and public run directories.
        private_artifacts: fsspec address of runs on hidden splits, which the web process need not reach.
        base_url: Address that people reach the board by; empty for that of the request.
        secret_key: Signs what is handed to a browser; made and kept in ``home`` where it is not set.
        proxies: Addresses of proxies in front, whose ``X-Forwarded-For`` and ``-Proto`` count.
        scored_per_day: Scored submissions a day and account.
        attempts_per_day: Checked uploads a day and account.
        jobs_waiting: Jobs of an account that wait at a time.
        posts_per_minute: Requests that change something, of an address and of an account.
        api_per_minute: Calls of the JSON API and pages that show rows, of an address and of an account; the board's own
            data is not counted.
        sign_in_failures: Wrong passwords within five minutes for one name; an address may four times as many.
        lease_seconds: A worker that is not heard of for so long has lost its job.
        heartbeat_seconds: How often a worker is heard of.
        queue_hours: A job that waited for longer fails.
        generate_hours: Limit of the first step.
        score_hours: Limit of the second step.
        generate_memory_gb: Memory of the process that generates; 0 for three quarters of the machine's.
        upload_mb: Largest prediction file or archive, as it is sent.
        unpacked_mb: The same after decompression.
        model_gb: Largest checkpoint, all files together.
        hub: Whether checkpoints may be named by their hub id.
        hidden_places: Decimal places of a score on a hidden split, in the unit of a scale of 100.
        hidden_release_hours: Scores on hidden splits of an account appear at most once in so many hours.
        withdrawn_days: Texts of a withdrawn submission are deleted after so many days.
        registration: Who may make an account: ``invited`` or, by an identity provider, ``anyone``.
        terms: What a submitter agrees to, shown at upload.
        metrics_token: Bearer token that ``/metrics`` asks for; empty for loopback only.
        log_format: ``json`` or ``text``.
    """

    model_config = SettingsConfigDict(env_prefix="GRUE_", extra="ignore", frozen=True)

    home: Path
    data: str = "hub"
    split: str = "test"
    hidden_splits: Names = ()
    database_url: str = ""
    artifacts: str = ""
    private_artifacts: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    base_url: str = ""
    secret_key: SecretStr = SecretStr("")
    proxies: Names = ()
    scored_per_day: int = Field(20, ge=0)
    attempts_per_day: int = Field(200, ge=0)
    jobs_waiting: int = Field(20, ge=1)
    posts_per_minute: int = Field(600, ge=1)
    api_per_minute: int = Field(1200, ge=1)
    sign_in_failures: int = Field(10, ge=1)
    lease_seconds: float = Field(30.0, gt=0)
    heartbeat_seconds: float = Field(10.0, gt=0)
    queue_hours: float = Field(72.0, gt=0)
    generate_hours: float = Field(12.0, gt=0)
    score_hours: float = Field(2.0, gt=0)
    generate_memory_gb: float = Field(0.0, ge=0)
    upload_mb: int = Field(200, ge=1)
    unpacked_mb: int = Field(2000, ge=1)
    model_gb: float = Field(20.0, gt=0)
    hub: bool = True
    hidden_places: int = Field(1, ge=0, le=4)
    hidden_release_hours: float = Field(24.0, ge=0)
    withdrawn_days: float = Field(30.0, ge=0)
    registration: Literal["invited", "anyone"] = "invited"
    terms: str = ""
    github_client_id: str = ""
    github_client_secret: SecretStr = SecretStr("")
    huggingface_client_id: str = ""
    huggingface_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "single sign-on"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    log_format: Literal["json", "text"] = "text"

    @field_validator("hidden_splits", "proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("begin it with https:// or http://")
        return value.rstrip("/")

    @property
    def is_hidden(self) -> bool:
        """Whether submissions are scored on a hidden split."""
        return self.split in self.hidden_splits

    @property
    def is_secure(self) -> bool:
        """Whether people reach the board by https, so that cookies may ask for it."""
        return self.base_url.startswith("https://")


def service_settings(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> ServiceSettings:
    """Read the settings of a process that serves or works.

    Args:
        environ: Environment variables; those of the process where nothing is said.
        folder: Where ``grue.toml`` may stand; the working folder where nothing is said.

    Raises:
        UsageError: for a value that is none, naming the variable, all of them at once.
    """
    given = os.environ if environ is None else environ
    known = load_settings(given, folder or Path.cwd())
    home = known.home.absolute()
    values: dict[str, object] = {"home": home}
    for field in ServiceSettings.model_fields:
        key = f"GRUE_{field.upper()}"
        if field != "home" and (text := known.values[key].value if key in known.values else given.get(key)):
            values[field] = text
    values.setdefault("private_artifacts", str(home / "private"))
    try:
        if "secret_key" not in values:
            values["secret_key"] = _kept_secret(home / SECRET_FILE)
        return ServiceSettings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"GRUE_{str(one['loc'][0]).upper()}: {one['msg'].lower()}" for one in error.errors())
        raise UsageError(f"The settings are wrong: {faults}.", "Mend them; docs/service.md lists all.") from None
    except OSError as error:
        raise UsageError(
            f"The secret key cannot be kept in {home}: {error.strerror or error}.",
            "Set GRUE_SECRET_KEY, or GRUE_HOME to a folder that you may write.",
        ) from error


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
