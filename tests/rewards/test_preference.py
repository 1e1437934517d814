"""The preference model's reward, on a tiny encoder-decoder model made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grue
from grue.core.metric import Digests, Texts
from grue.core.reward import PooledReward
from grue.rewards.common_gen import Preference
from grue.rewards.rules import Range

WORDS = ["<pad>", "</s>", "<unk>", "good", "bad", "a", "dog", "runs", "cat", "park", "the", "in"]
SENTENCES = ["a dog runs", "the cat", "the dog in the park runs", "park park park", "good"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 with random weights and a tokenizer of whole words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("preference")
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def expected(model: Path) -> np.ndarray[Any, Any]:
    """Softmax over the two words' logits at the first decoder position, one text at a time."""
    import torch
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = T5ForConditionalGeneration.from_pretrained(model).eval()
    found = []
    for text in SENTENCES:
        with torch.inference_mode():
            logits = network(**tokenizer(text, return_tensors="pt"), decoder_input_ids=torch.tensor([[0]])).logits
        found.append(torch.softmax(logits[0, 0, [3, 4]].double(), dim=0)[0].item())
    return np.array(found)


def test_p_is_the_softmax_over_good_and_bad(model: Path) -> None:
    score = grue.reward("common_gen_preference_model", model=str(model)).compute(predictions=SENTENCES)
    assert score.values == pytest.approx(expected(model), abs=1e-6)
    assert (score.low, score.high) == (0, 1)
    assert score.signature is not None
    assert "words:good/bad" in score.signature
    assert len(set(score.values)) > 1


def test_missing_concepts_and_meteor_enter_by_their_weights(model: Path) -> None:
    meta = [{"concepts": ["dog", "park"]}] * len(SENTENCES)
    references = [["a dog runs in the park"]] * len(SENTENCES)
    missing = np.array([1, 2, 0, 1, 2])
    meteor = np.array(grue.metric("meteor").compute(SENTENCES, references).per_sample)
    scorer = grue.reward("common_gen_preference_model", model=str(model), c=0.5, m=2)
    score = scorer.compute(predictions=SENTENCES, references=references, meta=meta)
    assert score.values == pytest.approx(expected(model) / (1 + 0.5 * missing) + 2 * meteor, abs=1e-6)
    assert (score.low, score.high) == (0, 3)
    assert scorer.built is not None
    assert scorer.built.needs_references
    assert not grue.reward("common_gen_preference_model", model=str(model)).compute(predictions=["a"]).reason


def test_a_row_without_concepts_has_no_value_where_they_count(model: Path) -> None:
    settings = {"model": str(model), "c": 1}
    score = grue.reward("common_gen_preference_model", **settings).compute(
        predictions=["a dog", "a dog"], meta=[{}, {"concepts": ["dog"]}]
    )
    assert score.values[0] is None
    assert score.values[1] is not None


def test_portions_give_what_the_whole_gives(model: Path) -> None:
    reward = grue.reward(f"clip(common_gen_preference_model(model={str(model)!r}), 0, 0.5) - 1").built
    assert isinstance(reward, PooledReward)
    inputs: Any = [{}] * len(SENTENCES)
    whole = reward.rewards(Texts(SENTENCES, [[]] * len(SENTENCES), inputs))
    digests = [item for text in SENTENCES for item in reward.digest(Texts([text], [[]], [{}]))]
    assert reward.pooled(Digests(digests)) == pytest.approx(whole, abs=1e-6)


def test_the_formula_by_hand() -> None:
    rule = Preference(0.5, 2)
    values = rule.apply([np.array([0.8]), np.array([3.0]), np.array([0.25])])
    assert values == pytest.approx([0.8 / 2.5 + 0.5])
    assert rule.range([Range(0, 1)] * 3) == Range(0, 3)
    assert rule.formula(["p", "missing", "meteor"]) == "p/(1 + 0.5*missing) + 2*meteor"
    assert Preference(0, 0).apply([np.array([0.8])]).tolist() == [0.8]


def test_a_model_that_is_no_encoder_decoder_makes_the_reward_absent() -> None:
    scorer = grue.reward("common_gen_preference_model", model="demo:sentiment")
    assert scorer.built is None
    assert scorer.reason is not None
    assert "demo:sentiment" in scorer.reason
