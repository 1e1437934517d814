"""A real trainer with a tiny model."""

from __future__ import annotations

import random
from importlib.resources import files

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

import grue
from grue.core.errors import UsageError
from grue.evaluation.callback import undisturbed

pytestmark = pytest.mark.long

CHECKPOINT = str(files("grue.engine") / "demo" / "causal")


class Sentences(torch.utils.data.Dataset):
    def __init__(self, tokenizer) -> None:
        ids = tokenizer("the dog runs over the old stone bridge to the market").input_ids[:8]
        self.ids = torch.tensor(ids)

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids, "labels": self.ids}


def train(folder, *callbacks):
    torch.manual_seed(0)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(CHECKPOINT), AutoTokenizer.from_pretrained(CHECKPOINT)
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=4, per_device_train_batch_size=2, report_to=[], save_strategy="no",
        use_cpu=True, disable_tqdm=True, learning_rate=1e-3, logging_steps=1, seed=3,
    )  # fmt: skip
    return Trainer(
        model=model, args=arguments, train_dataset=Sentences(tokenizer), processing_class=tokenizer,
        callbacks=list(callbacks),
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
def test_values_reach_the_log_at_the_steps_asked_for_and_training_is_as_without(tmp_path):
    callback = grue.GrueCallback(
        "daily_dialog", every_steps=2, limit=4, data="mini", split="test", metrics=["rouge1", "mean_length"]
    )
    watched = train(tmp_path / "a", callback)
    watched.train()
    logged = [entry for entry in watched.state.log_history if "grue/daily_dialog/rouge1" in entry]
    assert [entry["step"] for entry in logged] == [2, 4]
    assert all(0 <= entry["grue/daily_dialog/rouge1"] <= 1 for entry in logged)
    assert all(entry["grue/daily_dialog/mean_length"] > 0 for entry in logged)
    plain = train(tmp_path / "b")
    plain.train()
    losses = [[entry["loss"] for entry in t.state.log_history if "loss" in entry] for t in (watched, plain)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4


@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
def test_values_of_an_untrained_model_are_those_of_eval(tmp_path):
    run = grue.evaluate("demo:causal", "iwslt2017", data="mini", limit=4, output=tmp_path / "run", device="cpu")
    callback = grue.GrueCallback("iwslt2017", every_steps=1, limit=4, data="mini", split="test")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(CHECKPOINT), AutoTokenizer.from_pretrained(CHECKPOINT)
    found = callback.evaluate(model, tokenizer)
    metrics = run.results.tasks["iwslt2017"].metrics
    assert found == {f"grue/iwslt2017/{name}": v.value for name, v in metrics.items() if v.value is not None}


def test_values_go_to_the_trainers_own_log_where_it_is_given(tmp_path):
    got = []
    callback = grue.GrueCallback(
        "iwslt2017", every_steps=4, limit=2, data="mini", split="test", metrics="chrf", log=got.append
    )
    train(tmp_path, callback).train()
    assert [list(values) for values in got] == [["grue/iwslt2017/chrf"]]


def test_mode_and_random_states_are_restored_whatever_happens():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    model.train()
    model[1].eval()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)

    def evaluate() -> None:
        with undisturbed(model):
            assert not model.training
            random.random(), np.random.rand(), torch.rand(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate()
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == expected
    assert model.training
    assert model[0].training
    assert not model[1].training


def test_fault_is_found_when_the_callback_is_made():
    with pytest.raises(UsageError, match="Did you mean 'imdb'"):
        grue.GrueCallback("imbd", every_steps=1, data="mini")
