"""Every law catches the evaluator that breaks it, and lets a good one pass."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from fewshot.conformance import LAWS, check, degenerate, names, worlds
from fewshot.conformance import evaluators as laws
from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator, TransductiveEvaluator, one_hot
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.prototype import Prototype


class Answer(Head):
    """A head from a function."""

    def __init__(self, function):
        self.function = function

    def __call__(self, query):
        return self.function(query)


def means(batch):
    """[B, N, D] class means."""
    members = one_hot(batch).transpose(1, 2).to(batch.support.dtype)
    return members @ batch.support / members.sum(2, keepdim=True)


def nearest(prototypes):
    return Answer(lambda query: -torch.cdist(query, prototypes).square())


@dataclass(frozen=True)
class Good(FeatureEvaluator):
    """Nearest class mean, the plain way; faults are planted into it."""

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        return nearest(means(batch))


class Bad(Good):
    """Where faults start from."""


@dataclass(frozen=True)
class CosinesInFloat32(Bad):
    def fit(self, batch):
        prototypes = torch.nn.functional.normalize(means(batch).double(), dim=2)

        def cosines(query):
            products = torch.nn.functional.normalize(query.double(), dim=2) @ prototypes.transpose(1, 2)
            return products.to(query.dtype)

        return Answer(cosines)


@dataclass(frozen=True)
class WrongShape(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query).transpose(1, 2))


@dataclass(frozen=True)
class NotFinite(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query) / 0)


@dataclass(frozen=True)
class SaysThatItNeedsNoSupport(Bad):
    """The means of no rows are not numbers."""

    needs_support = False


@dataclass(frozen=True)
class FavoursTheFirstName(Bad):
    """Without support, the first way is a little ahead of its equals."""

    needs_support = False

    def fit(self, batch):
        first = torch.eye(batch.n_way)[0] if not batch.support.shape[1] else 0
        return Answer(lambda query: query @ batch.class_features.transpose(1, 2) + (1e-3 * first))


@dataclass(frozen=True)
class WidensTheDtype(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query).to(torch.float16))


@dataclass(frozen=True)
class PeeksAtOtherEpisodes(Bad):
    def fit(self, batch):
        return nearest(means(batch) - batch.support.mean((0, 1)))


@dataclass(frozen=True)
class SeedsByPlaceInTheBatch(Bad):
    def fit(self, batch):
        noise = torch.stack([torch.full((1, 1), float(e)) for e in range(len(batch.support))])
        return nearest(means(batch) + noise.to(batch.support.dtype))


@dataclass(frozen=True)
class FavoursTheFirstClass(Bad):
    def fit(self, batch):
        return Answer(
            lambda query: nearest(means(batch))(query) + torch.tensor([1, 0, 0])  # more for way 0
        )


@dataclass(frozen=True)
class TrustsTheFirstRowMore(Bad):
    def fit(self, batch):
        weights = torch.ones(batch.support.shape[1])
        weights[0] = 3
        return nearest(means(replace(batch, support=batch.support * weights[:, None].to(batch.support.dtype))))


@dataclass(frozen=True)
class CentresOnTheQueries(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query - query.mean(1, keepdim=True)))


class RemembersQueries(Head):
    """Goes on learning while it answers."""

    def __init__(self, prototypes):
        self.prototypes = prototypes

    def __call__(self, query):
        logits = nearest(self.prototypes)(query)
        self.prototypes = self.prototypes + 0.1 * query.mean(1, keepdim=True)
        return logits


@dataclass(frozen=True)
class LearnsWhileItAnswers(Bad):
    def fit(self, batch):
        return RemembersQueries(means(batch))


@dataclass(frozen=True)
class LearnsNothing(Bad):
    def fit(self, batch):
        return nearest(means(batch) * 0)


@dataclass(frozen=True)
class KnowsThatQueriesAreSorted(Bad):
    def fit(self, batch):
        def answer(query):
            order = torch.arange(query.shape[1]) * batch.n_way // query.shape[1]
            return torch.nn.functional.one_hot(order, batch.n_way).to(query.dtype).expand(len(query), -1, -1)

        return Answer(answer)


@dataclass(frozen=True)
class DrawsFromTorch(Bad):
    def fit(self, batch):
        torch.rand(1)
        return super().fit(batch)


@dataclass(frozen=True)
class DrawsFromNumpy(Bad):
    def fit(self, batch):
        np.random.rand()
        return super().fit(batch)


@dataclass(frozen=True)
class DrawsFromPython(Bad):
    def fit(self, batch):
        random.random()
        return super().fit(batch)


@dataclass(frozen=True)
class ChangesFromCallToCall(Bad):
    calls: list = field(default_factory=list, compare=False, repr=False)

    def fit(self, batch):
        self.calls.append(0)
        return nearest(means(batch) + len(self.calls))


@dataclass(frozen=True)
class NormalisesInPlace(Bad):
    def fit(self, batch):
        batch.support.div_(batch.support.norm(dim=2, keepdim=True))
        return super().fit(batch)


@dataclass(frozen=True)
class RelabelsInPlace(Bad):
    def fit(self, batch):
        head = super().fit(batch)
        batch.support_labels.zero_()
        return head


@dataclass(frozen=True)
class CentresQueriesInPlace(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query.sub_(1)))


@dataclass(frozen=True)
class NormalisesNamesInPlace(Bad):
    def fit(self, batch):
        head = super().fit(batch)
        batch.class_features.div_(batch.class_features.norm(dim=2, keepdim=True))
        return head


@dataclass(frozen=True)
class ByName(Bad):
    """Asks only what the classes are called, which is a good evaluator."""

    def fit(self, batch):
        return nearest(batch.class_features)


@dataclass(frozen=True)
class TakesNamesOfAnotherEpisode(Bad):
    def fit(self, batch):
        return nearest(batch.class_features.roll(1, 0))


@dataclass(frozen=True)
class ReadsNamesBackwards(Bad):
    def fit(self, batch):
        return nearest(batch.class_features.flip(1))


@dataclass(frozen=True)
class HidesAField(Bad):
    """Its repr does not say what it holds."""

    secret: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "secret", random.Random(id(self)).random())


@dataclass(frozen=True)
class IgnoresTheMask(Bad):
    def fit(self, batch):
        return super().fit(replace(batch, support_mask=torch.ones_like(batch.support_mask)))


@dataclass(frozen=True)
class AnswersAPathBackwards(Bad):
    scale: float = 1.0

    @classmethod
    def examples(cls):
        return [cls(1.0), cls(2.0)]

    def fit(self, batch):
        return nearest(self.scale * means(batch))

    def fit_path(self, batch, grid):
        return [member.fit(batch) for member in reversed(grid)]


@dataclass(frozen=True)
class DividesByTheDeviation(Bad):
    def fit(self, batch):
        deviation = batch.support.std(1, keepdim=True)
        return Answer(lambda query: nearest(means(batch) / deviation)(query / deviation))


@dataclass(frozen=True)
class ScalesByTheLargestOfTheBatch(Bad):
    def fit(self, batch):
        largest = batch.support.abs().amax().clamp(min=1)
        return Answer(lambda query: nearest(means(batch) / largest)(query / largest))


@dataclass(frozen=True)
class PrefersTheFirstOfEquals(Bad):
    def fit(self, batch):
        return Answer(lambda query: nearest(means(batch))(query) - torch.arange(batch.n_way) / 100)


@dataclass(frozen=True)
class NeedsTwoShots(Bad):
    def fit(self, batch):
        if batch.support.shape[1] < 2 * batch.n_way:
            raise ValueError("two shots are needed")
        return super().fit(batch)


@dataclass(frozen=True)
class SaysThatItNeedsTwoShots(NeedsTwoShots):
    """One shot is a ValueError."""


@dataclass(frozen=True)
class Stepwise(Bad):
    """Goes half of the way to the means with every step, and says when it is there."""

    max_iter: int = 60

    def fit(self, batch):
        head = nearest(means(batch) * (1 - 0.5**self.max_iter))
        head.converged = self.arrived(len(batch.support))
        return head

    def arrived(self, n_episodes):
        return torch.full((n_episodes,), self.max_iter >= 60)


@dataclass(frozen=True)
class SaysThatItArrivedAtOnce(Stepwise):
    def arrived(self, n_episodes):
        return torch.ones(n_episodes, dtype=torch.bool)


@dataclass(frozen=True)
class NeverSaysWhetherItArrived(Stepwise):
    def arrived(self, n_episodes):
        return None


@dataclass(frozen=True)
class CentresOnPaddedQueries(TransductiveEvaluator):
    """Declared, but its padding counts."""

    @classmethod
    def examples(cls):
        return [cls()]

    def logits(self, batch, query, query_mask):
        return nearest(means(batch))(query - 0.1 * query.mean(1, keepdim=True))


@dataclass(frozen=True)
class Transductive(CentresOnPaddedQueries):
    """Declared and right."""

    def logits(self, batch, query, query_mask):
        held = query_mask[:, :, None].to(query.dtype)
        return nearest(means(batch))(query - 0.1 * (query * held).sum(1, keepdim=True) / held.sum(1, keepdim=True))


@dataclass(frozen=True)
class KnowsThatAllQueriesAreSorted(Transductive):
    """Declared, but its answers are places: queries lie class by class."""

    def logits(self, batch, query, query_mask):
        order = torch.arange(query.shape[1]) * batch.n_way // query.shape[1]
        return torch.nn.functional.one_hot(order, batch.n_way).to(query.dtype).expand(len(query), -1, -1)


@dataclass(frozen=True)
class TunesTheGivenNetwork(ImageEvaluator):
    """Fine-tunes well, and leaves a trace."""

    trace: str = "weights"

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch, backbone):
        network = backbone.network
        if self.trace == "weights":
            network[0].weight.data.mul_(1.001)
        elif self.trace == "batchnorm":
            network.train()
            with torch.no_grad():
                network(torch.stack([backbone.preprocess(image) for image in batch.support.decode(0, [0, 1, 2])]))
            network.eval()
        elif self.trace == "mode":
            network[1].train()
        else:
            network.requires_grad_(True)
        return FineTune("head", steps=30, lr=0.1, optimizer="adam").fit(batch, replace(backbone))


FAULTS = [
    (laws.shape_and_dtype, WrongShape()),
    (laws.shape_and_dtype, NotFinite()),
    (laws.shape_and_dtype, WidensTheDtype()),
    (laws.no_support_is_no_error, SaysThatItNeedsNoSupport()),
    (laws.alone_as_in_a_batch, PeeksAtOtherEpisodes()),
    (laws.alone_as_in_a_batch, SeedsByPlaceInTheBatch()),
    (laws.alone_as_in_a_batch, TakesNamesOfAnotherEpisode()),
    (laws.class_names_do_not_matter, FavoursTheFirstClass()),
    (laws.support_order_does_not_matter, TrustsTheFirstRowMore()),
    (laws.queries_do_not_inform_each_other, CentresOnTheQueries()),
    (laws.queries_do_not_inform_each_other, LearnsWhileItAnswers()),
    (laws.query_order_does_not_matter, KnowsThatAllQueriesAreSorted()),
    (laws.separated_classes_are_solved, LearnsNothing()),
    (laws.separated_classes_are_solved, ReadsNamesBackwards()),
    (laws.noise_is_chance, KnowsThatQueriesAreSorted()),
    (laws.same_call_same_bits, DrawsFromTorch()),
    (laws.same_call_same_bits, DrawsFromNumpy()),
    (laws.same_call_same_bits, DrawsFromPython()),
    (laws.same_call_same_bits, ChangesFromCallToCall()),
    (laws.arguments_are_unchanged, NormalisesInPlace()),
    (laws.arguments_are_unchanged, RelabelsInPlace()),
    (laws.arguments_are_unchanged, CentresQueriesInPlace()),
    (laws.arguments_are_unchanged, NormalisesNamesInPlace()),
    *((laws.arguments_are_unchanged, TunesTheGivenNetwork(t)) for t in ("weights", "batchnorm", "mode", "gradients")),
    (laws.spec_round_trip, HidesAField()),
    (laws.padding_does_not_matter, IgnoresTheMask()),
    (laws.padding_does_not_matter, CentresOnPaddedQueries()),
    (laws.a_path_is_each_member_alone, AnswersAPathBackwards()),
    (names.equal_names_prefer_no_class, FavoursTheFirstClass()),
    (names.equal_names_prefer_no_class, FavoursTheFirstName()),
    (degenerate.hard_inputs_have_answers, DividesByTheDeviation()),
    (degenerate.hard_inputs_have_answers, NotFinite()),
    (degenerate.hard_episodes_and_their_neighbours_are_apart, ScalesByTheLargestOfTheBatch()),
    (degenerate.classes_that_are_alike_have_equal_logits, PrefersTheFirstOfEquals()),
    (degenerate.separated_classes_are_solved_from_little, LearnsNothing()),
    (degenerate.float32_hides_no_differences, CosinesInFloat32()),
    (degenerate.converged_means_converged, SaysThatItArrivedAtOnce()),
    (degenerate.converged_means_converged, NeverSaysWhetherItArrived()),
]


@pytest.mark.parametrize(("law", "evaluator"), FAULTS, ids=lambda x: getattr(x, "__name__", repr(x)))
def test_a_law_catches_who_breaks_it(law, evaluator):
    assert all(law(evaluator, world) is not None for world in worlds(evaluator))


def test_every_law_has_a_fault_that_it_catches():
    assert {law for law, _ in FAULTS} == set(LAWS)


@pytest.mark.parametrize(
    "evaluator", [Good(), ByName(), Transductive(), Prototype(), SaysThatItNeedsTwoShots(), Stepwise()], ids=repr
)
def test_a_good_evaluator_breaks_no_law(evaluator):
    assert check("evaluator", evaluator) == []


def test_an_evaluator_that_raises_breaks_the_laws_by_name():
    @dataclass(frozen=True)
    class Raises(Good):
        def fit(self, batch):
            raise RuntimeError("no idea")

    assert "shape_and_dtype: raised RuntimeError: no idea" in check("evaluator", Raises())


def test_an_input_may_be_refused_only_where_the_docstring_says_so():
    broken = check("evaluator", NeedsTwoShots())
    assert {line.partition(":")[0] for line in broken} == {
        "hard_inputs_have_answers",
        "hard_episodes_and_their_neighbours_are_apart",
    }
    told = "raised ValueError: two shots are needed (return logits, or mention this ValueError in the class docstring)"
    assert all(told in line for line in broken)
