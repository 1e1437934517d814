"""A variable wins over grue.toml, which wins over the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from grue.core.errors import UsageError
from grue.core.settings import Setting, load_settings


def test_each_setting_says_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "grue.toml").write_text('data = "mini"\nGRUE_RESULTS_DIR = "out"\n')
    settings = load_settings({"GRUE_DATA": "/rows", "HOME": "/home/ada"}, tmp_path)
    assert (settings["GRUE_DATA"], settings.values["GRUE_DATA"].origin) == ("/rows", "environment")
    assert (settings["GRUE_RESULTS_DIR"], settings.values["GRUE_RESULTS_DIR"].origin) == ("out", "grue.toml")
    assert (settings["GRUE_HOME"], settings.values["GRUE_HOME"].origin) == ("/home/ada/.cache/grue", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = ", "no valid TOML"),
        ('dta = "mini"', "unknown setting 'dta'. Did you mean 'GRUE_DATA'?"),
        ("data = 3", "should be text"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "grue.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_settings({}, tmp_path)
    assert message in caught.value.cause
    assert "grue.toml" in caught.value.cause


def test_store_is_a_file_in_the_home_unless_it_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = load_settings({"GRUE_HOME": str(home)}, tmp_path)
    found = settings.values["GRUE_DATABASE_URL"]
    assert (found.value, found.origin) == (f"sqlite:///{home}/grue.sqlite", "default")
    (tmp_path / "grue.toml").write_text('database_url = "postgresql://u:p@h/n"\n')
    assert load_settings({}, tmp_path)["GRUE_DATABASE_URL"] == "postgresql://u:p@h/n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://user:se/cr:et@pw@host:5432/name", "postgresql://user:***@host:5432/name"),
        ("postgresql://user@host/name", "postgresql://user@host/name"),
        ("sqlite:////home/me@work/x.sqlite", "sqlite:////home/me@work/x.sqlite"),
        ("runs", "runs"),
    ],
)
def test_passwords_are_not_shown(value: str, shown: str) -> None:
    assert Setting(value, "environment").shown == shown
