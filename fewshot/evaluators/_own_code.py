"""Functions and classifiers of scikit-learn as evaluators, for Python and notebooks.

Both get the transformed features of one episode as numpy arrays: the support [S, D] float32, its labels [S] in [0, N),
and queries [M, D] of any number, one batch after the other.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Evaluator, FeatureEvaluator, Head
from fewshot.plugins.code import code_digest, function_digest
from fewshot.plugins.held import held_spec
from fewshot.plugins.registry import EVALUATORS
from fewshot.plugins.spec import Spec

Features = NDArray[np.float32]
Answer = Callable[[Features], ArrayLike]  # queries [M, D] -> logits [M, N]
Function = Callable[[Features, NDArray[np.int64], Features], ArrayLike]
_AHEAD = 1e-4  # of the largest value: more than float32 loses
_LEAST = 1e-12  # of a probability: the logarithm of 0 is no logit
_SEEDS = 1 << 32  # scikit-learn takes smaller ones
_PARAMETERS = "support, labels, query"


def evaluator_spec(evaluator: Any) -> Spec:
    """The spec of an evaluator that is no text: a member, its class, a function or a classifier of scikit-learn."""
    if isinstance(evaluator, type) and issubclass(evaluator, Evaluator):
        name = evaluator.__name__
        return EVALUATORS.spec(name if name in EVALUATORS.names() else f"{evaluator.__module__}:{name}")
    if isinstance(evaluator, Evaluator | Spec):
        return EVALUATORS.spec(evaluator)
    if "sklearn.base" in sys.modules and _is_of_sklearn(evaluator):
        return _spec_of_classifier(evaluator)
    if inspect.isroutine(evaluator):
        _check_parameters(evaluator)
        digest = function_digest(evaluator)
        name = re.sub(r"\W", "", evaluator.__name__) if evaluator.__name__ != "<lambda>" else "function"
        own = OwnFunction(evaluator, name)
        return held_spec(EVALUATORS, f"{name}(code={digest[:8]!r})", own, digest, _DECLARED)
    raise ValueError(
        f"an evaluator is a name such as 'LinearProbe(C=1.0)', a function ({_PARAMETERS}) -> logits, or a classifier "
        f"of scikit-learn; got {evaluator!r:.80}"
    )


@dataclass(frozen=True, eq=False)
class OwnCode(FeatureEvaluator):
    """The base of evaluators from a user's session; they have no hyperparameters that rows could store."""

    needs_cpu: ClassVar[bool] = True

    @classmethod
    def examples(cls) -> Sequence[OwnCode]:
        """None: the code is the user's."""
        return []

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        """One answer per episode, fitted to its support without padding."""
        answers = []
        for support, labels, mask, seed in zip(
            batch.support, batch.support_labels, batch.support_mask, batch.seeds.tolist(), strict=True
        ):
            answers.append(self.learn(support[mask].numpy(), labels[mask].numpy(), seed))
        return OwnHead(answers, batch.n_way, repr(self))

    def learn(self, support: Features, labels: NDArray[np.int64], seed: int) -> Answer:
        """The answers to queries of one episode."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class OwnFunction(OwnCode):
    """A function (support, labels, query) -> logits."""

    function: Function
    name: str

    def learn(self, support: Features, labels: NDArray[np.int64], seed: int) -> Answer:
        return lambda query: self.function(support.copy(), labels.copy(), query)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, repr=False)
class OwnClassifier(OwnCode):
    """A classifier of scikit-learn, cloned for each episode. Random states that are None get the episode's seed."""

    classifier: Any
    name: str

    def learn(self, support: Features, labels: NDArray[np.int64], seed: int) -> Answer:
        from sklearn.base import clone

        fitted = clone(self.classifier)
        states = {key: None for key, value in fitted.get_params().items() if re.search(r"(^|__)random_state$", key)}
        unset = {key: seed % _SEEDS for key in states if fitted.get_params()[key] is None}
        fitted.set_params(**unset).fit(support, labels)
        return lambda query: _scores(fitted, query)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class OwnHead(Head[Tensor]):
    """The answers of B episodes, checked."""

    answers: Sequence[Answer]
    n_way: int
    name: str

    def __call__(self, query: Tensor) -> Tensor:
        """[B, m, N] logits of m queries per episode."""
        logits = [self._checked(answer(one.numpy()), len(one)) for answer, one in zip(self.answers, query, strict=True)]
        return torch.from_numpy(np.stack(logits)).to(query.dtype)

    def _checked(self, logits: Any, n_queries: int) -> NDArray[np.float64]:
        values = np.asarray(logits.detach().cpu() if isinstance(logits, torch.Tensor) else logits)
        wanted = (n_queries, self.n_way)
        if values.dtype.kind not in "fiu" or values.shape != wanted:
            found = f"{values.dtype} of shape {list(values.shape)}"
            raise ValueError(
                f"{self.name} must return logits of shape {list(wanted)}, one line per query and one column per class, "
                f"as an array or a tensor; it returned {found}"
            )
        return values.astype(np.float64)


_DECLARED = {"usual_transform": FeatureEvaluator.usual_transform, "needs_support": True, "runs_network": False}


def _check_parameters(function: Function) -> None:
    """Raises a ValueError unless a function can be called with three arguments."""
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError as error:
        name, takes = function.__name__, inspect.signature(function)
        raise ValueError(
            f"an evaluator is a function ({_PARAMETERS}) -> logits, but {name} takes {takes}; give it three parameters"
        ) from error
    except ValueError:  # Python does not know the signature
        return


def _is_of_sklearn(value: Any) -> bool:
    from sklearn.base import BaseEstimator

    if isinstance(value, type) and issubclass(value, BaseEstimator):
        raise ValueError(f"{value.__name__} is a class; give an instance, {value.__name__}()")
    return isinstance(value, BaseEstimator)


def _spec_of_classifier(classifier: Any) -> Spec:
    import sklearn
    from sklearn.base import is_classifier

    if not is_classifier(classifier):
        raise ValueError(f"{type(classifier).__name__} is no classifier; give one, such as LogisticRegression()")
    with sklearn.config_context(print_changed_only=True):
        name = " ".join(classifier.__repr__(N_CHAR_MAX=math.inf).split())
    module = type(classifier).__module__
    is_own = module.partition(".")[0] != "sklearn"
    code = code_digest(module, type(classifier), "all") if is_own else ""
    text = f"{name[:-1]}{'' if name.endswith('()') else ', '}code={code[:8]!r})" if is_own else name
    own = OwnClassifier(classifier, name)
    return held_spec(EVALUATORS, text, own, f"sklearn {sklearn.__version__} {code}", _DECLARED)


def _scores(classifier: Any, query: Features) -> NDArray[np.float64]:
    """[M, N] decision values, or logarithms of probabilities, or 1 for the predicted class if it has neither. The class
    that the classifier predicts has the highest value: its decision values may say otherwise."""
    predicted = np.searchsorted(classifier.classes_, classifier.predict(query))
    values = _values(classifier, query)
    if values is None:
        return np.asarray(predicted[:, None] == np.arange(len(classifier.classes_)), dtype=np.float64)
    rows = np.flatnonzero(values.argmax(1) != predicted)
    most = values[rows].max(1)
    values[rows, predicted[rows]] = most + np.abs(most) * _AHEAD + _AHEAD
    return values


def _values(classifier: Any, query: Features) -> NDArray[np.float64] | None:
    """[M, N] decision values, or logarithms of probabilities; None without both."""
    if callable(decide := getattr(classifier, "decision_function", None)):
        values = np.array(decide(query), dtype=np.float64)
        return np.stack([np.zeros(len(values)), values], 1) if values.ndim == 1 else values
    if callable(predict := getattr(classifier, "predict_proba", None)):
        return np.log(np.clip(np.asarray(predict(query), dtype=np.float64), _LEAST, 1))
    return None
