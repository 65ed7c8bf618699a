"""Predictions from noisy logits, with what is kept of them."""

from __future__ import annotations

import numpy as np

from fewshot.results.predictions import Predictions


def answered(episodes, seed: int = 0, sharpness: float = 1.5, decimals: int | None = None) -> Predictions:
    """Logits with noise, and what is kept of them."""
    random = np.random.default_rng(seed)
    parts = []
    for e in range(len(episodes)):
        truth = episodes.query_labels[episodes.query_start[e] : episodes.query_start[e + 1]]
        logits = random.normal(size=(len(truth), episodes.n_way[e])) + sharpness * np.eye(episodes.n_way[e])[truth]
        parts.append((logits if decimals is None else logits.round(decimals)).astype(np.float16))
    return of_logits(episodes, parts)


def of_logits(episodes, parts) -> Predictions:
    """Predictions from the logits [queries, ways] of each episode."""
    log_p = [np.log(softmax(part)) for part in parts]
    labels = np.split(episodes.query_labels, episodes.query_start[1:-1])
    return Predictions(
        episodes,
        np.concatenate([p.argmax(1) for p in log_p]).astype(np.uint16),
        np.concatenate([np.exp(p.max(1)) for p in log_p]).astype(np.float16),
        np.concatenate([p[np.arange(len(t)), t] for p, t in zip(log_p, labels, strict=True)]).astype(np.float16),
        np.ones(len(episodes), dtype=np.bool_),
        np.concatenate([part.reshape(-1) for part in parts]),
    )


def softmax(logits):
    """Probabilities in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)
