"""Checkpoints of strangers: plain weights of a known class, and nothing to run."""

from __future__ import annotations

import ast
import json
import shutil
import struct
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.errors import UsageError
from grue.submissions.architectures import ARCHITECTURES
from grue.submissions.bounded_json import bounded_json
from grue.submissions.check import CheckedUpload, UploadLimits, check_model_folder
from grue.submissions.findings import Fault
from grue.submissions.model_config import check_config
from grue.submissions.weight_headers import Weights
from tests.hostile.answering import in_this_process
from tests.hostile.sound_model import CONFIG, TENSORS, TOKENIZER, safetensors, sound_checkpoint

DEMOS = Path(__file__).resolve().parents[2] / "grue" / "engine" / "demo"
LIMITS = UploadLimits()
Write = Callable[..., Path]
TABLES = ("MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads in this process; that another one does it is tested with archives."""
    in_this_process(monkeypatch)


def only(checked: CheckedUpload) -> str:
    (problem,) = checked.problems
    assert checked.problem_count == 1
    assert problem.fix
    assert checked.content_sha256 == ""
    return f"{problem.id}: {problem.problem}"


@pytest.mark.parametrize("name", ["causal", "seq2seq"])
def test_what_save_pretrained_wrote_is_taken(name: str, tmp_path: Path) -> None:
    shutil.copytree(DEMOS / name, tmp_path / "m")
    checked = check_model_folder(tmp_path / "m", LIMITS)
    assert checked.problems == ()
    assert (checked.kind, checked.notes) == ("model", ())
    assert len(checked.content_sha256) == 64


@pytest.mark.usefixtures("here")
def test_the_hash_is_of_names_and_contents(checkpoint: Write) -> None:
    folder = checkpoint()
    first = check_model_folder(folder, LIMITS).content_sha256
    assert check_model_folder(folder, LIMITS).content_sha256 == first
    (folder / "generation_config.json").write_text("{}")
    assert check_model_folder(folder, LIMITS).content_sha256 != first


@pytest.mark.usefixtures("here")
def test_templates_and_file_names_are_dropped_and_told(checkpoint: Write) -> None:
    said = {
        "tokenizer_class": "GPT2Tokenizer",
        "chat_template": "{{ ''.__class__ }}",
        "vocab_file": "/etc/passwd",
        "name_or_path": "/root/model",
        "model_max_length": 1000000000000000019884624838656,
    }
    folder = checkpoint(**{"tokenizer_config.json": json.dumps(said).encode()})
    checked = check_model_folder(folder, LIMITS)
    assert checked.problems == ()
    assert "chat_template" in checked.notes[0]
    assert json.loads((folder / "tokenizer_config.json").read_text()) == {
        "tokenizer_class": "GPT2Tokenizer",
        "model_max_length": 1000000000000000019884624838656,
    }
    assert check_model_folder(folder, LIMITS).notes == ()


@pytest.mark.parametrize(
    "name",
    ["modeling_evil.py", "pytorch_model.bin", "chat_template.jinja", "tokenizer.pkl", "README.md", ".hidden",
     "model.safetensors.bak", "adapter_model.safetensors", "config.json\n"],
)  # fmt: skip
def test_names_that_no_checkpoint_needs_are_refused(checkpoint: Write, name: str) -> None:
    assert (
        only(check_model_folder(checkpoint(**{name: b"{}"}), LIMITS))
        == f"{name}: No file of a checkpoint has this name."
    )


def test_links_folders_and_missing_folders(checkpoint: Write, tmp_path: Path) -> None:
    folder = checkpoint(**{"config.json": None})
    (folder / "config.json").symlink_to("/etc/passwd")
    assert only(check_model_folder(folder, LIMITS)) == "config.json: This is a link, a folder or a device."
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    assert not check_model_folder(folder, LIMITS).is_valid
    with pytest.raises(UsageError):
        check_model_folder(tmp_path / "none", LIMITS)


def test_files_too_large_empty_or_missing(checkpoint: Write) -> None:
    folder = checkpoint(**{"config.json": b" " * (2 << 20)})
    assert (
        only(check_model_folder(folder, LIMITS)) == "config.json: The file has 2,097,152 bytes; 1,048,576 are allowed."
    )
    (folder / "config.json").write_bytes(b"")
    assert only(check_model_folder(folder, LIMITS)) == "config.json: The file is empty."
    for name in sound_checkpoint():
        (folder / name).unlink()
    problems = [problem.problem for problem in check_model_folder(folder, LIMITS).problems]
    assert problems == [
        "There is no config.json.",
        "There are no weights: neither model.safetensors nor its parts.",
        "There is no tokenizer.",
    ]


def test_a_checkpoint_larger_than_allowed_is_refused(checkpoint: Write) -> None:
    checked = check_model_folder(checkpoint(), UploadLimits(model_bytes=5_000))
    assert any("bytes together; 5,000 are allowed" in problem.problem for problem in checked.problems)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("config.json", {"auto_map": {"AutoModelForCausalLM": "evil.Evil"}}),
        ("config.json", {"text_config": {"x": [{"auto_map": {}}]}}),
        ("config.json", {"trust_remote_code": True}),
        ("config.json", {"_attn_implementation": "evil/kernel"}),
        ("config.json", {"attn_implementation": {"": "kernels-community/x"}}),
        ("config.json", {"transformers_weights": "../x.safetensors"}),
        ("config.json", {"quantization_config": {"quant_method": "gptq"}}),
        ("generation_config.json", {"custom_generate": "evil/repo"}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.T", None]}}),
        ("tokenizer_config.json", {"tokenizer_class": "os.system"}),
    ],
)
@pytest.mark.usefixtures("here")
def test_settings_that_name_code_are_refused(checkpoint: Write, name: str, member: dict[str, Any]) -> None:
    base = json.loads(sound_checkpoint()[name])
    found = only(check_model_folder(checkpoint(**{name: json.dumps({**base, **member}).encode()}), LIMITS))
    assert found.startswith(f"{name}: ")
    assert any(
        key in found
        for key in (
            "auto_map",
            "trust_remote_code",
            "attn_implementation",
            "weights",
            "quantization",
            "custom_generate",
            "tokenizer class",
        )
    )


@pytest.mark.usefixtures("here")
def test_plain_attention_and_false_switches_are_no_fault(checkpoint: Write) -> None:
    config = {**CONFIG, "_attn_implementation": "sdpa", "trust_remote_code": False, "auto_map": None}
    assert check_model_folder(checkpoint(**{"config.json": json.dumps(config).encode()}), LIMITS).problems == ()


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ({"model_type": "evil"}, "The model type 'evil' is none"),
        ({"model_type": "encoder-decoder"}, "is none that this board loads"),
        ({"architectures": ["GPT2Model"]}, "The class 'GPT2Model' is none that writes text"),
        ({"architectures": ["T5ForConditionalGeneration"]}, "is none that writes text with 'gpt2'"),
        ({"vocab_size": 50_000_000}, "which no model has"),
        ({"n_layer": True}, "which no model has"),
        ({"n_embd": -1}, "which no model has"),
        ({"seed": 2**60}, "a number that no model has"),
        ({"vocab_size": 250_000, "n_embd": 1_024}, "describes at least"),
        ({"n_positions": 90_000_000}, "describes at least"),
        ({"n_layer": 1_900, "n_embd": 4_096}, "describes at least"),
        ({"text_config": {"hidden_size": 65_536, "vocab_size": 200_000}}, "describes at least"),
    ],
)
def test_configs_of_no_model_or_a_far_larger_one(member: dict[str, Any], said: str) -> None:
    with pytest.raises(Fault, match=said):
        check_config({**CONFIG, **member}, 2_000)


def test_sizes_of_real_models_fit_their_weights() -> None:
    """Parameters of the models' papers and cards, by hand."""
    gpt2 = {
        "model_type": "gpt2",
        "n_embd": 768,
        "n_layer": 12,
        "n_positions": 1024,
        "vocab_size": 50257,
        "n_inner": None,
    }
    check_config(gpt2, 124_439_808)
    t5 = {
        "model_type": "t5",
        "d_model": 512,
        "d_ff": 2048,
        "num_layers": 6,
        "num_decoder_layers": 6,
        "vocab_size": 32128,
    }
    check_config(t5, 60_506_624)
    mixture = {
        "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 48,
        "vocab_size": 151936, "num_experts": 128, "max_position_embeddings": 40960,
    }  # fmt: skip
    check_config(mixture, 30_532_122_624)
    llama = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "vocab_size": 128256,
    }
    check_config(llama, 8_030_261_248)
    with pytest.raises(Fault, match="describes at least"):
        check_config(llama, 300_000_000)


def test_the_list_of_architectures_is_of_the_library() -> None:
    spec = find_spec("transformers")
    assert spec is not None
    assert spec.origin is not None
    # Its source is read, since importing it takes longer than all other tests here.
    source = (Path(spec.origin).parent / "models" / "auto" / "modeling_auto.py").read_text()
    known: dict[str, set[str]] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in TABLES:
            assert isinstance(statement.value, ast.Call)
            for kind, names in ast.literal_eval(statement.value.args[0]):
                known.setdefault(kind, set()).update([names] if isinstance(names, str) else names)
    assert {
        kind: names for kind, names in ARCHITECTURES.items() if not set(names.split()) <= known.get(kind, set())
    } == {}
    assert {"gpt2", "t5", "bart", "llama", "qwen3", "mt5", "opt"} <= set(ARCHITECTURES)


def header_said(tmp_path: Path, header: object, size: int = 4, length: int | None = None) -> str:
    content = safetensors(header, size)
    path = tmp_path / "model.safetensors"
    path.write_bytes(content if length is None else struct.pack("<Q", length) + content[8:])
    with pytest.raises(Fault) as caught:
        Weights().add(path)
    return caught.value.problem


def tensor(**changed: object) -> dict[str, object]:
    return {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changed}}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (tensor(dtype="F31"), "unknown type 'F31'"),
        (tensor(dtype=32), "unknown type"),
        (tensor(shape=[-1]), "no lengths"),
        (tensor(shape=[2**63, 2**63]), "no lengths"),
        (tensor(shape=[2**40, 2**40]), "does not take the 4 bytes"),
        (tensor(shape=[1.0]), "no lengths"),
        (tensor(shape=[True]), "no lengths"),
        (tensor(shape=None), "no lengths"),
        (tensor(data_offsets=[4, 0]), "does not take the -4 bytes"),
        (tensor(data_offsets=[-4, 0]), "no lengths"),
        (tensor(data_offsets=[4, 8]), "does not begin where the one before it ends"),
        (tensor(data_offsets=[0]), "no lengths"),
        (tensor(extra=1), "alone"),
        ({"a": []}, "alone"),
        ({"__metadata__": {"format": 1}}, "texts alone"),
        ({"__metadata__": {"format": "pt"}}, "holds no tensor"),
        ({}, "holds no tensor"),
        ({**tensor(), "b": tensor()["a"]}, "does not begin where the one before it ends"),
        ({"a\0": tensor()["a"]}, "is named"),
        (b"[]", "no JSON object"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", "nested more than 4 deep"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "too many digits"),
        (b'{"a": ' + b"[" * 2_000_000, "more than 1,000,000 values"),
        (b'{"\xff": 1}', "Invalid Unicode"),
        (b'{"\\ud800": 1}', "half of a surrogate pair"),
    ],
    ids=range(26),
)
def test_headers_that_cannot_be(tmp_path: Path, header: object, said: str) -> None:
    assert said in header_said(tmp_path, header)


@pytest.mark.parametrize("length", [0, 1, 2**63, 2**64 - 1, 2**32, 10_000])
def test_a_header_longer_than_its_file_is_not_read(tmp_path: Path, length: int) -> None:
    assert "its header should take" in header_said(tmp_path, tensor(), length=length)


def test_a_header_longer_than_any_is_not_read(tmp_path: Path) -> None:
    assert "The header has 5,242,880 bytes" in header_said(tmp_path, b" " * (5 << 20))
    assert "Git LFS pointer" in header_said(tmp_path, tensor(), length=int.from_bytes(b"version ", "little"))


@pytest.mark.usefixtures("here")
def test_weights_in_parts_need_all_of_them_and_their_index(checkpoint: Write) -> None:
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    whole = sound_checkpoint()["model.safetensors"]
    one_more = safetensors({"more": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}, 4)
    listed = {**dict.fromkeys(TENSORS, first), "more": second}
    index = {"metadata": {"total_size": 1}, "weight_map": listed}
    folder = checkpoint(**{"model.safetensors": None, first: whole, second: one_more})
    assert only(check_model_folder(folder, LIMITS)).endswith("The weights are in parts, and their index is missing.")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert check_model_folder(folder, LIMITS).problems == ()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {**listed, "more": "../../evil"}}))
    assert only(check_model_folder(folder, LIMITS)).endswith("The index lists other tensors than the parts hold.")
    (folder / second).write_bytes(whole)
    assert "stands in model-00001-of-00002.safetensors too" in check_model_folder(folder, LIMITS).problems[0].problem
    (folder / second).unlink()
    assert any(
        "1 parts of the weights are there, of 2" in one.problem for one in check_model_folder(folder, LIMITS).problems
    )
    (folder / "model.safetensors").write_bytes(whole)
    assert not check_model_folder(folder, LIMITS).is_valid


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"post_processor": {"type": "Python"}}, "'post_processor' has the unknown type 'Python'"),
        (
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Evil"}]}},
            "'normalizer' has the unknown type 'Evil'",
        ),
        ({"decoder": "ByteLevel"}, "'decoder' has the unknown type"),
        ({"plugin": {}}, "the unknown part 'plugin'"),
        ({"model": {"type": "Neural"}}, "the unknown type 'Neural'"),
        ({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}, "give each word a number"),
        ({"model": {"type": "Unigram", "vocab": [["a"]]}}, "give each piece a number"),
        ({"padding": {"strategy": {"Fixed": 10**12}}}, "'padding' sets 'Fixed'"),
        ({"added_tokens": [{"id": 2**40, "content": "x"}]}, "An added token"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_tokenizers_of_unknown_parts(checkpoint: Write, changed: dict[str, Any], said: str) -> None:
    folder = checkpoint(**{"tokenizer.json": json.dumps({**TOKENIZER, **changed}).encode()})
    assert said in only(check_model_folder(folder, LIMITS))


@settings(deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
        max_leaves=30,
    ),
    st.booleans(),
)
def test_any_json_is_read_as_the_library_reads_it(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert bounded_json(raw, max_values=100_000) == json.loads(raw)


@settings(deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\u0d8cf 19.eE-+', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_a_fault(raw: bytes) -> None:
    try:
        value = bounded_json(raw, max_values=1_000)
    except Fault:
        return
    json.dumps(value, ensure_ascii=False).encode()
