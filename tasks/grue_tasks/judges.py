"""The published checkpoints that judge outputs, each at a fixed revision where one is known.

A metric's signature holds the hash of the weights that were read, so that a moved repository cannot pass unseen.
"""

from __future__ import annotations

GPT2 = "openai-community/gpt2@607a30d783dfa663caf39e06633721c8d4cfcd7e"
ROBERTA_LARGE = "FacebookAI/roberta-large@722cf37b1afa9454edce342e7895e588b6ff1d59"
MULTILINGUAL_BERT = "google-bert/bert-base-multilingual-cased@3f076fdb1ab68d5b2880cb87a0886f315b8146f8"

# Two classes, 1 is positive. Published as a pickle of weights.
IMDB_SENTIMENT = "lvwerra/distilbert-imdb@0fc02cd68445b599a9cb2da2368050e7fb31d29a"
IMDB_POSITIVE = "1"

# Entailment models: SummaC's default, as the paper ran it, and the one that SummaC's authors recommend.
MNLI = "FacebookAI/roberta-large-mnli@2a8f12d27941090092df78e4ba6f0928eb5eac98"
MNLI_ENTAILMENT = "2"
VITAMINC = "tals/albert-xlarge-vitaminc-mnli@3082ba54344bd9ddada2be1c5e9b4131721d2a5d"
VITAMINC_SUPPORTS = "0"

# Their full revisions are not known.
DIALOG_INTENT = "rajkumarrrk/roberta-daily-dialog-intent-classifier"
BLEURT = "Elron/bleurt-base-128"
