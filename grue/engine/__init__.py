"""What generates: Hugging Face checkpoints and null systems, behind one protocol."""
