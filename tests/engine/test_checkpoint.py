"""Every fault of a checkpoint is found before its weights are loaded, with place and fix; hashes are of content."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from grue.core.errors import CheckpointError, MissingExtraError, UsageError
from grue.engine.open import EngineOptions, open_engine

CPU = EngineOptions(device="cpu")


@pytest.fixture
def folder(checkpoints, tmp_path) -> Path:
    """A copy of the GPT-2-like checkpoint, to be broken."""
    return Path(shutil.copytree(checkpoints["gpt2"], tmp_path / "model"))


def edit(path: Path, **changes) -> None:
    value = json.loads(path.read_text())
    value.update(changes)
    path.write_text(json.dumps({key: item for key, item in value.items() if item is not None}))


def resave(path: Path, change) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def cut_bytes(path: Path, n: int) -> None:
    path.write_bytes(path.read_bytes()[:-n])


def pickle_only(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def corrupt_offsets(folder: Path) -> None:
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    header[name]["shape"][0] += 1
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


FAULTS = {
    "no config": (lambda f: (f / "config.json").unlink(), "No config.json"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "no valid JSON"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "no JSON object"),
    "unknown type": (lambda f: edit(f / "config.json", model_type="gpt9"), "Unknown model type 'gpt9'"),
    "own code": (
        lambda f: edit(f / "config.json", model_type="mine", auto_map={"AutoConfig": "x.Y"}),
        "need code that lies in the checkpoint",
    ),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "No weights"),
    "pickle only": (pickle_only, "Only pickle weights"),
    "truncated": (lambda f: cut_bytes(f / "model.safetensors", 100), "truncated"),
    "truncated in the header": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:60]),
        "truncated",
    ),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "truncated"),
    "not safetensors": (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 64), "No safetensors file"),
    "header is no JSON": (
        lambda f: (f / "model.safetensors").write_bytes((20).to_bytes(8, "little") + b"x" * 20),
        "header is corrupt",
    ),
    "shape does not fit": (corrupt_offsets, "cannot take"),
    "pointer": (
        lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n"),
        "Git LFS pointer",
    ),
    "missing shard": (
        lambda f: (
            (f / "model.safetensors").unlink(),
            (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}'),
        ),
        "model-1.safetensors, which is not there",
    ),
    "index names a path": (
        lambda f: (
            (f / "model.safetensors").unlink(),
            (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.safetensors"}}'),
        ),
        "outside its folder",
    ),
    "no tokenizer": (no_tokenizer, "No tokenizer"),
    "broken tokenizer": (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer cannot be loaded"),
    "small vocabulary": (lambda f: edit(f / "config.json", vocab_size=50), "smaller than the tokenizer's"),
    "classifier": (
        lambda f: edit(f / "config.json", architectures=["GPT2ForSequenceClassification"]),
        "no generation head: GPT2ForSequenceClassification",
    ),
    "encoder": (
        lambda f: edit(f / "config.json", model_type="bert", architectures=["BertForSequenceClassification"]),
        "no generation head: BertForSequenceClassification",
    ),
    "broken generation config": (
        lambda f: (f / "generation_config.json").write_text("{"),
        "generation_config.json cannot be read",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_checkpoint_is_refused_with_place_and_fix(fault, folder):
    spoil, said = FAULTS[fault]
    spoil(folder)
    with pytest.raises(CheckpointError) as caught:
        open_engine(str(folder), CPU)
    assert said in caught.value.cause
    assert caught.value.fix
    assert str(folder) in caught.value.place


def test_adapter_folder_alone_says_how_to_give_it(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="No config") as caught:
        open_engine(str(tmp_path), CPU)
    assert "--adapter" in caught.value.fix


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        ("./nowhere", CheckpointError, "No such folder: ./nowhere"),
        ("nowhere", CheckpointError, "No such folder: nowhere"),
        ("", UsageError, "-m is empty"),
        ("null:nothing", UsageError, "unknown system 'null:nothing'"),
        ("null:emty", UsageError, "Did you mean 'null:empty'?"),
        ("oracle:ref", UsageError, "oracle"),
        ("demo:casual", UsageError, "Did you mean 'demo:causal'?"),
    ],
)
def test_an_unknown_model_is_refused(model, error, said):
    with pytest.raises(error) as caught:
        open_engine(model, CPU)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"device": "gpu"}, UsageError, "unknown device 'gpu'"),
        ({"device": "cuda:99"}, UsageError, "CUDA"),
        ({"dtype": "float31"}, UsageError, "Did you mean 'float32'?"),
        ({"engine": "hff"}, UsageError, "Did you mean 'hf'?"),
        ({"engine": "vllm"}, MissingExtraError, "vllm"),
        ({"chat_template": "yes"}, UsageError, "--chat-template"),
        ({"chat_template": "on"}, UsageError, "no chat template"),
        ({"adapter": Path("nowhere")}, CheckpointError, "no such folder: nowhere"),
    ],
)
def test_a_wrong_option_is_refused(options, error, said, checkpoints):
    with pytest.raises(error) as caught:
        open_engine(str(checkpoints["gpt2"]), EngineOptions(**{"device": "cpu", **options}))
    assert said in str(caught.value)


def test_missing_weights_are_never_left_random(folder):
    resave(folder / "model.safetensors", lambda tensors: tensors.pop("transformer.h.1.attn.c_attn.weight"))
    engine = open_engine(str(folder), CPU)
    with pytest.raises(CheckpointError, match=r"h\.1\.attn\.c_attn\.weight"):
        engine.load()


def test_weights_of_another_shape_are_refused(folder):
    edit(folder / "config.json", n_inner=77)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        open_engine(str(folder), CPU).load()


def test_pickle_weights_are_read_when_allowed(folder, checkpoints, make_rows, generate):
    from grue.core.decoding import Decoding

    pickle_only(folder)
    engine = open_engine(str(folder), EngineOptions(device="cpu", allow_pickle=True))
    assert engine.info.parameters == open_engine(str(checkpoints["gpt2"]), CPU).info.parameters
    assert engine.info.weights_sha256 == open_engine(str(checkpoints["gpt2"]), CPU).info.weights_sha256
    rows = make_rows(3)
    made = generate(engine, rows, Decoding(max_new_tokens=6))
    expected = generate(open_engine(str(checkpoints["gpt2"]), CPU), rows, Decoding(max_new_tokens=6))
    assert [g.prediction for g in made.values()] == [g.prediction for g in expected.values()]


def test_pickle_that_runs_code_is_refused_even_when_allowed(folder, tmp_path):
    import pickle

    class Attack:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Attack()}, protocol=2))
    with pytest.raises(CheckpointError, match="cannot be read"):
        open_engine(str(folder), EngineOptions(device="cpu", allow_pickle=True))
    assert not (tmp_path / "ran").exists()


def test_weights_hash_is_of_content_and_not_of_files(folder, checkpoints, tmp_path):
    whole = open_engine(str(checkpoints["gpt2"]), CPU).info
    split = tmp_path / "split"
    model = AutoModelForCausalLM.from_pretrained(checkpoints["gpt2"])
    model.save_pretrained(split, max_shard_size="20KB")
    AutoTokenizer.from_pretrained(checkpoints["gpt2"]).save_pretrained(split)
    assert len(list(split.glob("*.safetensors"))) > 1
    other = open_engine(str(split), CPU).info
    assert other.weights_sha256 == whole.weights_sha256
    assert other.parameters == whole.parameters == sum(p.numel() for p in model.parameters())

    resave(folder / "model.safetensors", lambda tensors: tensors["transformer.wpe.weight"][3, 4].add_(1e-3))
    assert open_engine(str(folder), CPU).info.weights_sha256 != whole.weights_sha256


def test_weights_hash_follows_its_definition(checkpoints):
    import hashlib

    digest = hashlib.sha256()
    tensors = load_file(checkpoints["t5"] / "model.safetensors")
    for name in sorted(tensors):
        digest.update(f"{name}\tF32\t{list(tensors[name].shape)}\n".encode())
        digest.update(tensors[name].numpy().tobytes())
    assert open_engine(str(checkpoints["t5"]), CPU).info.weights_sha256 == digest.hexdigest()


def test_tokenizer_hash_changes_with_its_files_alone(folder, checkpoints):
    before = open_engine(str(checkpoints["gpt2"]), CPU).info.tokenizer_sha256
    (folder / "README.md").write_text("words")
    assert open_engine(str(folder), CPU).info.tokenizer_sha256 == before
    edit(folder / "tokenizer_config.json", model_max_length=77)
    assert open_engine(str(folder), CPU).info.tokenizer_sha256 != before


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        ("gpt2", "GPT2LMHeadModel"),
        ("llama", "LlamaForCausalLM"),
        ("t5", "T5ForConditionalGeneration"),
        ("bart", "BartForConditionalGeneration"),
    ],
)
def test_the_config_tells_architectures_apart(kind, architecture, engines):
    engine = engines[kind]
    assert engine.info.architecture == architecture
    assert engine.checkpoint.is_encoder_decoder is (kind in ("t5", "bart"))
    assert engine.info.dtype == "float32"
    assert engine.info.engine == "hf"
    assert engine.info.kind == "local"
    assert engine.info.name == kind
    assert engine.info.parameters == sum(p.numel() for p in engine.model.parameters())


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_an_adapter_changes_texts_and_hash(checkpoints, tmp_path, make_rows, generate):
    from peft import LoraConfig, get_peft_model

    from grue.core.decoding import Decoding

    base = AutoModelForCausalLM.from_pretrained(checkpoints["gpt2"])
    torch.manual_seed(0)
    adapted = get_peft_model(
        base, LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True, init_lora_weights=False)
    )
    adapted.save_pretrained(tmp_path / "adapter")
    plain = open_engine(str(checkpoints["gpt2"]), CPU)
    engine = open_engine(str(checkpoints["gpt2"]), EngineOptions(device="cpu", adapter=tmp_path / "adapter"))
    assert engine.info.weights_sha256 != plain.info.weights_sha256
    assert engine.info.parameters > plain.info.parameters
    rows, decoding = make_rows(6), Decoding(max_new_tokens=8)
    made, before = generate(engine, rows, decoding), generate(plain, rows, decoding)
    assert [g.prediction for g in made.values()] != [g.prediction for g in before.values()]
    tokenizer = engine.reader.tokenizer
    for row in rows:
        ids = torch.tensor([tokenizer(row.prompt)["input_ids"]])
        with torch.inference_mode():
            first = int(adapted.eval()(ids).logits[0, -1].argmax())
        text = tokenizer.decode([first], skip_special_tokens=True)
        assert made[row.id, 0].prediction.startswith(text.rstrip("\ufffd"))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_an_adapter_of_another_model_is_refused(checkpoints, tmp_path):
    from peft import LoraConfig, get_peft_model

    base = AutoModelForCausalLM.from_pretrained(checkpoints["llama"])
    get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    options = EngineOptions(device="cpu", adapter=tmp_path / "adapter")
    with pytest.raises(CheckpointError, match="--adapter does not fit"):
        open_engine(str(checkpoints["gpt2"]), options).load()


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_an_adapter_of_virtual_tokens_is_refused(checkpoints, tmp_path):
    from peft import PromptTuningConfig, get_peft_model

    base = AutoModelForCausalLM.from_pretrained(checkpoints["gpt2"])
    adapted = get_peft_model(base, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))
    adapted.save_pretrained(tmp_path / "adapter")
    options = EngineOptions(device="cpu", adapter=tmp_path / "adapter")
    with pytest.raises(CheckpointError, match="PROMPT_TUNING cannot be merged"):
        open_engine(str(checkpoints["gpt2"]), options).load()
