"""Files: whole-or-nothing writes, safe readers of CSV, safetensors and vectors on disk."""
