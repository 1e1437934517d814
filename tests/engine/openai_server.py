"""A small OpenAI-compatible server over a demo checkpoint, with faults to order.

It generates with the library's own ``generate``, one prompt at a time, and shares no decoding code with the package
under test. It speaks vLLM's dialect where ``owner`` is ``vllm`` (``min_tokens``, ``top_k``, ``repetition_penalty``,
``/version``), else OpenAI's alone, and refuses what it does not know, as OpenAI does.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PLAIN = {"model", "prompt", "messages", "max_tokens", "temperature", "top_p", "seed", "stop", "n"}
DIALECTS = {
    "openai": {"max_completion_tokens"},
    "vllm": {"top_k", "min_p", "min_tokens", "repetition_penalty"},
    "llamacpp": {"top_k", "min_p", "repeat_penalty"},
}


class Model:
    """The checkpoint, one prompt at a time; a text is made once for each set of settings."""

    def __init__(self, name: str = "causal") -> None:
        folder = str(files("grue.engine") / "demo" / name)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
        self._made: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def complete(self, prompt: str, body: Mapping[str, Any]) -> dict[str, Any]:
        settings = {
            key: body.get(key)
            for key in sorted(PLAIN | DIALECTS["vllm"] | DIALECTS["openai"])
            if key not in ("prompt", "messages")
        }
        known = json.dumps([prompt, settings])
        with self._lock:
            if known not in self._made:
                self._made[known] = self._generate(prompt, body)
            return self._made[known]

    def _generate(self, prompt: str, body: Mapping[str, Any]) -> dict[str, Any]:
        ids = self.tokenizer(prompt, return_tensors="pt").input_ids
        limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or 16)
        samples = bool(body.get("temperature", 1))
        how: dict[str, Any] = {"do_sample": samples}
        if samples:
            torch.manual_seed(int(body["seed"]) if "seed" in body else int(time.time_ns()) % 2**31)
            how |= {"temperature": body.get("temperature", 1.0), "top_p": body.get("top_p", 1.0), "top_k": 0}
            if body.get("top_k", -1) > 0:
                how["top_k"] = body["top_k"]
        if body.get("repetition_penalty", 1) != 1:
            how["repetition_penalty"] = float(body["repetition_penalty"])
        with torch.inference_mode():
            out = self.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, pad_token_id=0,
                min_new_tokens=body.get("min_tokens") or None, **how,
            )  # fmt: skip
        new = out[0, ids.shape[1] :].tolist()
        text = self.tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        reason = "stop" if new and new[-1] == self.tokenizer.eos_token_id else "length"
        for mark in body.get("stop") or ():
            if mark in text:
                text, reason = text[: text.index(mark)], "stop"
        return {"text": text, "finish_reason": reason, "usage": (ids.shape[1], len(new))}


@dataclass
class Orders:
    """What the server shall do wrong.

    ``before``: a prompt -> faults of its first attempts, in order. ``always``: a prompt -> its fault for ever.
    """

    before: Callable[[str], list[str]] = lambda prompt: []
    always: Callable[[str], str | None] = lambda prompt: None
    delay_seconds: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)


@dataclass
class Running:
    """A server that runs."""

    url: str
    orders: Orders
    version: str = "0.0.1"
    models_status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    most_at_once: int = 0
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(model: Model, *, owner: str = "vllm", key: str | None = None, name: str = "demo") -> Iterator[Running]:
    """The server on a free port of this machine, until the block ends."""
    running = Running(url="", orders=Orders())
    counting = threading.Lock()
    under_way = [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def setup(self) -> None:
            with counting:
                running.connections += 1
            super().setup()

        def finish(self) -> None:
            try:
                super().finish()
            finally:
                with counting:
                    running.connections -= 1

        def send(self, status: int, document: Any, **headers: str) -> None:
            self.send_body(status, json.dumps(document).encode(), **headers)

        def send_body(self, status: int, body: bytes, *, claimed: int | None = None, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
            for header, value in headers.items():
                self.send_header(header.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def drop(self) -> None:
            self.close_connection = True
            self.connection.close()

        def do_GET(self) -> None:
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                self.send(401, {"error": {"message": f"Bad header: {self.headers.get('Authorization')}"}})
            elif self.path == "/v1/models" and running.models_status != 200:
                self.send(running.models_status, {"error": {"message": "no list today"}})
            elif self.path == "/v1/models":
                self.send(200, {"object": "list", "data": [{"id": name, "object": "model", "owned_by": owner}]})
            elif self.path == "/version" and owner == "vllm":
                self.send(200, {"version": running.version})
            elif self.path == "/props" and owner == "llamacpp":
                self.send(200, {"build_info": running.version})
            else:
                self.send(404, {"error": {"message": f"no {self.path}"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with counting:
                under_way[0] += 1
                running.most_at_once = max(running.most_at_once, under_way[0])
                running.asked.append(body)
                running.headers.append(dict(self.headers.items()))
                running.times.append(time.monotonic())
            try:
                self.answer(body)
            except (BrokenPipeError, ConnectionResetError, ValueError):
                self.close_connection = True
            finally:
                with counting:
                    under_way[0] -= 1

        def answer(self, body: dict[str, Any]) -> None:
            is_chat = self.path == "/v1/chat/completions"
            unknown = set(body) - PLAIN - DIALECTS.get(owner, set())
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                self.send(401, {"error": {"message": f"Bad header: {self.headers.get('Authorization')}"}})
            elif not is_chat and self.path != "/v1/completions":
                self.send(404, {"error": {"message": f"no {self.path}"}})
            elif body["model"] != name:
                self.send(404, {"error": {"message": f"The model {body['model']!r} does not exist."}})
            elif owner == "openai" and is_chat and "max_tokens" in body:
                self.send(400, {"error": {"message": "'max_tokens' is not supported. Use 'max_completion_tokens'."}})
            elif unknown:
                self.send(400, {"error": {"message": f"Unrecognized request arguments: {sorted(unknown)}"}})
            else:
                prompt = body["messages"][0]["content"] if is_chat else body["prompt"]
                with counting:
                    attempt = running.orders.seen[prompt]
                    running.orders.seen[prompt] += 1
                faults = running.orders.before(prompt)
                fault = running.orders.always(prompt) or (faults[attempt] if attempt < len(faults) else None)
                time.sleep(running.orders.delay_seconds)
                if fault is None:
                    self.send(200, self.completion(prompt, body, is_chat=is_chat))
                else:
                    self.misbehave(fault, self.completion(prompt, body, is_chat=is_chat))

        def completion(self, prompt: str, body: dict[str, Any], *, is_chat: bool) -> dict[str, Any]:
            made = model.complete(prompt, body)
            text = {"message": {"role": "assistant", "content": made["text"]}} if is_chat else {"text": made["text"]}
            choices = [
                {"index": index, "finish_reason": made["finish_reason"], **text} for index in range(body.get("n") or 1)
            ]
            read, written = made["usage"]
            usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
            return {"id": "cmpl-1", "model": name, "choices": choices, "usage": usage}

        def misbehave(self, fault: str, whole: dict[str, Any]) -> None:
            kind, _, detail = fault.partition(":")
            if kind == "status":
                self.send(int(detail), {"error": {"message": f"told to fail\nas {self.headers.get('Authorization')}"}})
            elif kind == "key":
                self.send(500, {"error": {"message": f"{self.headers.get('Authorization')} is what was sent"}})
            elif kind == "wait":
                self.send(429, {"error": {"message": "slow down"}}, Retry_After=detail)
            elif kind == "no credit":
                self.send(429, {"error": {"message": "pay first", "code": "insufficient_quota"}})
            elif kind == "cut":
                text = json.dumps(whole).encode()
                self.send_body(200, text[: len(text) // 2], claimed=len(text))
                self.drop()
            elif kind == "half":
                self.send_body(200, json.dumps(whole).encode()[:40])
            elif kind == "nothing":
                self.drop()
            elif kind == "hang":
                running.closing.wait(60)
                self.drop()
            elif kind == "huge":
                self.send_body(200, b" " * int(detail))
            elif kind == "redirect":
                self.send(307, {}, Location=detail)
            elif kind == "body":
                self.send_body(200, detail.encode())
            else:
                raise AssertionError(f"unknown fault {fault!r}")

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    running.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
