"""`grue metrics`: documents, tables, faults and exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.cli.main import run
from grue.metrics.build import names

ROWS = [
    {"prediction": "the cat sat on the mat", "references": ["a cat sat on the mat", "the cat"], "source": "x"},
    {"prediction": "ein Hund läuft", "references": ["der Hund läuft"]},
]


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n", encoding="utf-8")
    return path


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run([*map(str, arguments), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    return found


def test_compute_prints_the_documented_shape(rows_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "metrics", "compute", "rouge1,sacrebleu,distinct_1,bertscore", rows_file)
    assert set(found) == {"schema_version", "metrics", "per_sample"}
    assert list(found["metrics"]) == ["rouge1", "sacrebleu", "distinct_1", "bertscore"]
    for name in ("rouge1", "sacrebleu", "distinct_1"):
        assert set(found["metrics"][name]) == {"value", "scale", "n", "signature"}
        assert found["metrics"][name]["n"] == 2
    assert found["metrics"]["bertscore"]["value"] is None
    assert found["metrics"]["bertscore"]["reason"]
    assert set(found["per_sample"]) == {"rouge1", "sacrebleu"}
    assert [len(values) for values in found["per_sample"].values()] == [2, 2]
    api = grue.metric("sacrebleu").compute([row["prediction"] for row in ROWS], [row["references"] for row in ROWS])
    assert found["metrics"]["sacrebleu"]["value"] == api.value


def test_settings_and_profile_reach_the_metric(rows_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("metrics", "compute", "rouge1,sacrebleu", rows_file, "--profile", "grue-paper")
    found = document(capsys, *arguments, "--set", "rouge.use_stemmer=false", "--set", "sacrebleu.lowercase=true")
    assert "stem:no|refs:first" in found["metrics"]["rouge1"]["signature"]
    assert "case:lc|eff:no|tok:intl" in found["metrics"]["sacrebleu"]["signature"]


def test_the_table_shows_values_reasons_and_rows(rows_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "compute", "rouge1,bertscore", str(rows_file), "--per-sample"]) == 0
    out = capsys.readouterr().out
    assert "0.7500" in out  # the mean of 5/6 and 2/3
    assert "no judge is named" in out
    assert "0.8333" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["metrics", "compute", "rouge9", "{file}"], "Did you mean"),
        (["metrics", "compute", "rouge1,sacrbleu", "{file}"], "Did you mean 'sacrebleu'"),
        (["metrics", "compute", ",", "{file}"], "No metric is named"),
        (["metrics", "compute", "rouge1", "{file}", "--set", "rouge.stem=true"], "has no setting 'stem'"),
        (["metrics", "compute", "rouge1", "{file}", "--set", "rogue.use_stemmer=true"], "Did you mean 'rouge'"),
        (["metrics", "compute", "rouge1", "{file}", "--set", "rouge.use_stemmer"], "FAMILY.key=value"),
        (["metrics", "compute", "rouge1", "{file}", "--profile", "paper"], "unknown profile"),
        (["metrics", "compute", "rouge1", "{file}.gone"], "cannot be read"),
        (["metrics", "show", "rouge3"], "Did you mean"),
        (["rewards", "compute", "meteorr", "{file}"], "Did you mean 'meteor'"),
    ],
)
def test_a_wrong_call_is_refused_with_a_fix(
    arguments: list[str], message: str, rows_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([argument.format(file=rows_file) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "fix:" in captured.err
    assert captured.out == ""


FAULTS: list[tuple[bytes, str]] = [
    (b'{"prediction": "a"', "no valid JSON"),
    (b'["a"]', "a row must be an object, found a list"),
    (b'{"text": "a"}', '"prediction" is missing; found text'),
    (b'{"prediction": null}', '"prediction" must be text, found null'),
    (b'{"prediction": 3}', '"prediction" must be text, found a number'),
    (b'{"prediction": "a", "references": "b"}', '"references" must be a list of texts, found text'),
    (b'{"prediction": "a", "references": ["b", 3]}', '"references"[1] must be text, found a number'),
    (b'{"prediction": "\xff"}', "invalid UTF-8 at byte 17"),
    (b'{"prediction": "\\ud800"}', "half a surrogate pair"),
    (b'{"prediction": "a", "source": "\\udc00"}', "half a surrogate pair"),
    (b'{"prediction": "a", "x": NaN}', "NaN is no JSON number"),
    (b'{"prediction": "a", "x": ' + b"[" * 100_000, "no valid JSON"),
]


@pytest.mark.parametrize(("line", "message"), FAULTS)
def test_a_faulty_line_is_named_with_its_fix(
    line: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"prediction": "fine"}\n' + line + b"\n")
    assert run(["metrics", "compute", "mean_length", str(path)]) == 2
    captured = capsys.readouterr()
    assert f"{path}:2: " in captured.err
    assert message in captured.err
    assert captured.out == ""


def test_all_faults_are_named_at_once_up_to_a_hundred(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n" * 130)
    assert run(["metrics", "compute", "mean_length", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count(f"{path}:") == 101  # a hundred lines and the file itself
    assert "130 faulty lines" in err
    assert "30 more" in err


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_rows_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    assert run(["metrics", "compute", "mean_length", str(path)]) == 2
    assert "no rows" in capsys.readouterr().err


def test_line_breaks_inside_texts_and_packed_files_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl.gz"
    rows = [{"prediction": "one\u2028two\x85three"}, {"prediction": "four"}]
    text = "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes(gzip.compress(text.encode()))
    found = document(capsys, "metrics", "compute", "mean_length", path)
    assert found["per_sample"]["mean_length"] == [3, 1]


def test_a_packed_file_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.gz"
    path.write_bytes(b"no gzip")
    assert run(["metrics", "compute", "mean_length", str(path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_metric_that_raises_is_partly_done(
    rows_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from grue.metrics.length import MeanLength

    def fail(*_: object) -> None:
        raise RuntimeError("no more words")

    monkeypatch.setattr(MeanLength, "per_sample", fail)
    assert run(["metrics", "compute", "mean_length,rouge1", str(rows_file), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["mean_length"]["value"] is None
    assert "no more words" in found["metrics"]["mean_length"]["reason"]
    assert found["metrics"]["rouge1"]["value"] is not None


def test_list_and_show_name_every_metric(capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "metrics", "list")["metrics"]
    assert [row["name"] for row in listed] == list(names())
    for row in listed:
        assert (row["reason"] is None) == (row["signature"] is not None)
    assert run(["metrics", "list"]) == 0
    assert "rougeLsum" in capsys.readouterr().out
    shown = document(capsys, "metrics", "show", "ter")
    assert shown["higher_is_better"] is False
    assert shown["settings"]["normalized"] is False
    assert "made from the sums" in shown["interval"]
    assert "document frequencies are held fixed" in document(capsys, "metrics", "show", "cider_d")["interval"]
    assert "no interval" in document(capsys, "metrics", "show", "distinct_1")["interval"]
    assert run(["metrics", "show", "spice"]) == 0
    assert "absent" in capsys.readouterr().out
    assert run(["metrics", "show", "meteor"]) == 0
    out = capsys.readouterr().out
    for word in ("measures", "range", "direction", "signature", "interval", "source", "known failing"):
        assert f"\n{word} " in out
    assert "--set meteor.wordnet" in out


def test_computing_string_metrics_imports_no_torch(rows_file: Path) -> None:
    program = (
        "import sys; from grue.cli.main import run\n"
        f"code = run(['metrics', 'compute', 'rouge1,ter,msttr', {str(rows_file)!r}, '--json'])\n"
        "heavy = [m for m in ('torch', 'transformers', 'datasets', 'pandas') if m in sys.modules]\n"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_help_of_a_command_imports_not_even_numpy() -> None:
    program = "import sys, grue.cli.metrics, grue.cli.rewards; sys.exit('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
