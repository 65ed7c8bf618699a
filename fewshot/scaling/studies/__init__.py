"""Studies of rows of networks that fewshot trained."""
