"""The command that makes a run again."""

from __future__ import annotations

from leaderboard_site.commands import command


def test_arguments_become_flags_and_defaults_are_left_out() -> None:
    text = command(
        {
            "tasks": "grue",
            "split": None,
            "limit": 100,
            "profile": "standard",
            "settings": {"rouge": {"use_stemmer": False}},
            "metrics": ["sacrebleu", "chrf"],
            "model_metrics": False,
            "offline": False,
            "seed": 0,
            "generation": {"num_beams": 4, "do_sample": True},
            "model": "my model",
        }
    )
    assert text.split(" \\\n  ") == [
        "grue eval",
        "-t grue",
        "-L 100",
        "--set rouge.use_stemmer=false",
        "--metrics sacrebleu,chrf",
        "--seed 0",
        "-g num_beams=4,do_sample=true",
        "-m 'my model'",
        "--no-model-metrics",
    ]


def test_a_prediction_file_is_scored_again() -> None:
    assert command({"tasks": "imdb", "predictions": "out.jsonl"}) == "grue score out.jsonl \\\n  -t imdb"


def test_without_arguments_there_is_no_command() -> None:
    assert command({}) == ""
