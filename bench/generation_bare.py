"""The shortest script that answers a prompt, for the start-up's comparison: import, load, generate.

python bench/generation_bare.py MODEL PROMPTS MAX_NEW_TOKENS DEVICE DTYPE OUT
"""

import json
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

model_folder, prompts, max_new_tokens, device, dtype, out = sys.argv[1:]
with open(prompts, encoding="utf-8") as file:
    row = json.loads(file.readline())
is_encoder_decoder = AutoConfig.from_pretrained(model_folder).is_encoder_decoder
auto = AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM
tokenizer = AutoTokenizer.from_pretrained(model_folder)
model = auto.from_pretrained(model_folder, dtype=getattr(torch, dtype)).to(device).eval()
encoded = tokenizer(row["prompt"], return_tensors="pt").to(device)
with torch.inference_mode():
    tokens = model.generate(**encoded, max_new_tokens=int(max_new_tokens), do_sample=False)[0]
tokens = tokens[1 if is_encoder_decoder else encoded.input_ids.shape[1] :]
text = tokenizer.decode(tokens, skip_special_tokens=True)
with open(out, "w", encoding="utf-8") as file:
    json.dump({"id": row["id"], "text": text, "tokens": tokens.tolist(), "time": time.time()}, file)
