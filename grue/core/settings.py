"""Settings that outlive a command: environment variables, then ``grue.toml`` in the working folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.text import nearest

# Key -> default, as the user would write it; "" means that there is none.
DEFAULTS: Mapping[str, str] = {
    "GRUE_HOME": "",
    "GRUE_DATA": "hub",
    "GRUE_RESULTS_DIR": "runs",
    "GRUE_DATABASE_URL": "",
    "GRUE_ARTIFACTS": "",
    "GRUE_HOST": "127.0.0.1",
    "GRUE_PORT": "8000",
    "GRUE_BASE_URL": "",
    "GRUE_SECRET_KEY": "",
    "GRUE_SPLIT": "test",
}
SECRETS = frozenset({"GRUE_SECRET_KEY"})
DATABASE_FILE = "grue.sqlite"
ARTIFACTS_FOLDER = "artifacts"
_PASSWORD = re.compile(r"(://[^:@/]*:).*(?=@)")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's value and where it came from (``environment``, ``grue.toml`` or ``default``)."""

    value: str
    origin: str
    is_secret: bool = False

    @property
    def shown(self) -> str:
        """The value for a reader: without secrets and passwords in addresses."""
        if self.is_secret:
            return "***" if self.value else ""
        return _PASSWORD.sub(r"\1***", self.value)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their origins."""

    values: Mapping[str, Setting]

    def __getitem__(self, key: str) -> str:
        return self.values[key].value

    @property
    def home(self) -> Path:
        """Folder of caches and local state."""
        return Path(self["GRUE_HOME"]).expanduser()


def load_settings(environ: Mapping[str, str], folder: Path) -> Settings:
    """Read the settings for a process.

    Args:
        environ: Environment variables.
        folder: Working folder, where ``grue.toml`` may stand. Its keys are the variables' names in lower case,
            with or without ``grue_``.

    Raises:
        UsageError: for a broken ``grue.toml`` or an unknown key in it.
    """
    written = _toml(folder / "grue.toml")
    cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")) / ".cache") / "grue"
    values = {}
    for key, default in DEFAULTS.items():
        if environ.get(key):
            found, origin = environ[key], "environment"
        elif key in written:
            found, origin = written[key], "grue.toml"
        else:
            found, origin = str(cache) if key == "GRUE_HOME" else default, "default"
        values[key] = Setting(found, origin, key in SECRETS)
    home = Path(values["GRUE_HOME"].value).expanduser().absolute()
    in_home = {"GRUE_DATABASE_URL": f"sqlite:///{home / DATABASE_FILE}", "GRUE_ARTIFACTS": str(home / ARTIFACTS_FOLDER)}
    for key, default in in_home.items():
        if not values[key].value:
            values[key] = Setting(default, "default")
    return Settings(values)


def _toml(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Mend the file or remove it.") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no valid TOML: {error}.", "Mend the line it names.") from error
    values = {}
    for key, value in table.items():
        name = key.upper() if key.lower().startswith("grue_") else f"GRUE_{key.upper()}"
        if name not in DEFAULTS:
            raise UsageError(
                f"{path}: unknown setting {key!r}.{nearest(name, DEFAULTS)}", f"Known: {', '.join(DEFAULTS)}."
            )
        if not isinstance(value, str):
            raise UsageError(f"{path}: {key} should be text, found {value!r}.", "Put the value in quotes.")
        values[name] = value
    return values
