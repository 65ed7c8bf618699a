"""MIEB's few-shot protocol on vectors: scikit-learn with 100 iterations beside the optimum of the same problem.

    python -m fewshot.benchmarks.mieb_convergence            measure, and write results/mieb_convergence.json
    python -m fewshot.benchmarks.mieb_convergence --table    print the table of that file

MIEB fits LogisticRegression(C=1, max_iter=100) to raw features of 16 images per class, 5 times, and prints the mean
accuracy on the whole test set. Networks give features of very different scale, and lbfgs comes near the optimum for
some scales only: it ends after 100 iterations, or where its tolerance of the mean gradient is met. Each draw shuffles
the order that the last one left, with the same seed, so the draws are powers of one permutation.

The features are synthetic: 40 classes of 384 dimensions, half of whose deviation lies in 32 directions that all classes
share, as in features of networks. Only their scale differs between the lines. Both solvers see the same draws.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.files.atomic import write_atomically

WRITTEN_TO = Path(__file__).parent / "results" / "mieb_convergence.json"
N_CLASSES, DIM, SHOTS, DRAWS, MOST_ITERATIONS = 40, 384, 16, 5, 100
TRAIN, TEST = 60, 25  # images per class
SCALES = (1.0, 10.0, 50.0, 200.0, 1000.0)  # of the features: their typical length
SEED = 42
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """One scale: the accuracies of both solvers on each draw, and how far scikit-learn is from the optimum."""

    scale: float
    stopped: list[float]  # accuracy of scikit-learn with at most 100 iterations
    optimum: list[float]  # accuracy of LinearProbe(C=1.0)
    n_stopped: int  # draws that reached 100 iterations
    excess: float  # largest relative excess of the objective of scikit-learn over that of the optimum
    disagreement: float  # share of test images that the two classify differently, mean over draws

    @property
    def difference(self) -> float:
        """Mean accuracy of the optimum minus that of scikit-learn, in points."""
        return 100 * (float(np.mean(self.optimum)) - float(np.mean(self.stopped)))


def features(scale: float) -> tuple[Floats, Ints, Floats, Ints]:
    """Train and test features with labels, of a typical length `scale`."""
    random = np.random.default_rng(SEED)
    shared = random.normal(size=(32, DIM)) / np.sqrt(32)
    centres = 0.28 * random.normal(size=(N_CLASSES, DIM))

    def images(each: int) -> tuple[Floats, Ints]:
        labels = np.repeat(np.arange(N_CLASSES), each)
        common = random.normal(size=(len(labels), 32)) @ shared
        rows = centres[labels] + random.normal(size=(len(labels), DIM)) + common
        return scale * rows / np.sqrt(2.1 * DIM), labels

    return *images(TRAIN), *images(TEST)


def draws(labels: Ints) -> list[Ints]:
    """The rows of each draw: the first 16 of each class in an order that the same seed shuffles again and again."""
    order, chosen = np.arange(len(labels)), []
    for _ in range(DRAWS):
        order = order[np.random.RandomState(SEED).permutation(len(order))]
        of_class = [order[labels[order] == label][:SHOTS] for label in range(N_CLASSES)]
        chosen.append(np.concatenate(of_class))
    return chosen


def measured(scale: float) -> Line:
    """Both solvers at one scale."""
    train, labels, test, truth = features(scale)
    stopped, optimum, ran_out, excess, differ = [], [], 0, 0.0, []
    for rows in draws(labels):
        weight, bias, n_iterations = scikit_learn(train[rows], labels[rows])
        best_weight, best_bias = ours(train[rows], labels[rows])
        answers, best = (test @ weight + bias).argmax(1), (test @ best_weight + best_bias).argmax(1)
        stopped.append(float((answers == truth).mean()))
        optimum.append(float((best == truth).mean()))
        ran_out += n_iterations >= MOST_ITERATIONS
        least = objective(best_weight, best_bias, train[rows], labels[rows])
        excess = max(excess, objective(weight, bias, train[rows], labels[rows]) / least - 1)
        differ.append(float((answers != best).mean()))
    return Line(scale, stopped, optimum, ran_out, excess, float(np.mean(differ)))


def scikit_learn(rows: Floats, labels: Ints) -> tuple[Floats, Floats, int]:
    """Weight, bias and iterations of MIEB's classifier."""
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the iterations ran out is what is counted here
        model = LogisticRegression(C=1.0, max_iter=MOST_ITERATIONS).fit(rows, labels)
    return model.coef_.T, model.intercept_, int(model.n_iter_.max())


def ours(rows: Floats, labels: Ints) -> tuple[Floats, Floats]:
    """Weight and bias of the optimum; a RuntimeError if the solver did not reach it."""
    import torch

    from fewshot.episodes.batch import EpisodeBatch
    from fewshot.evaluators import LinearHead
    from fewshot.evaluators.linear_probe import LinearProbe

    support, targets = torch.as_tensor(rows)[None], torch.as_tensor(labels)[None]
    held = torch.ones(targets.shape, dtype=torch.bool)
    batch = EpisodeBatch(support, targets, held, N_CLASSES, torch.zeros(1, dtype=torch.int64))
    head = LinearProbe(C=1.0, max_iter=5000).fit(batch)
    assert isinstance(head, LinearHead)
    if head.converged is None or not bool(head.converged.all()):
        raise RuntimeError("the optimum was not reached in 5000 iterations")
    return head.weight[0].numpy(), head.bias[0].numpy()


def objective(weight: Floats, bias: Floats, rows: Floats, labels: Ints) -> float:
    """The sum of the losses plus half the squared norm of the weight: what both minimise at C = 1."""
    logits = rows @ weight + bias
    top = logits.max(1)
    losses = np.log(np.exp(logits - top[:, None]).sum(1)) + top - logits[np.arange(len(labels)), labels]
    return float(losses.sum() + (weight**2).sum() / 2)


def table(lines: list[Line]) -> str:
    """One line per scale, as markdown."""
    from tabulate import tabulate

    titles = ("length", "100 iterations", "optimum", "difference", "reached 100", "answers that differ", "excess")
    cells = [
        (
            f"{line.scale:g}",
            f"{100 * np.mean(line.stopped):.2f}",
            f"{100 * np.mean(line.optimum):.2f}",
            f"{line.difference:+z.2f}",
            f"{line.n_stopped} of {DRAWS}",
            f"{100 * line.disagreement:.1f} %",
            f"{line.excess:.0e}",
        )
        for line in lines
    ]
    return tabulate(cells, titles, "github", disable_numparse=True)


def main() -> None:
    """Measures all scales and writes them, or prints the table of what was written."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--table", action="store_true", help="print the table and measure nothing")
    if not parser.parse_args().table:
        lines = [measured(scale) for scale in SCALES]
        write_atomically(WRITTEN_TO, json.dumps([asdict(line) for line in lines], indent=1).encode() + b"\n")
    print(table([Line(**values) for values in json.loads(WRITTEN_TO.read_text())]))


if __name__ == "__main__":
    main()
