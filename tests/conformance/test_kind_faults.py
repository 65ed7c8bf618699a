"""Every law of samplers, data sets, backbones and transforms catches the member that breaks it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from fewshot.backbones import Backbone, BackboneSource, freeze, weights_digest
from fewshot.conformance import backbones, check, datasets, samplers, transforms
from fewshot.datasets import ArrayImages, ClassList, Dataset, Group, LabelledImages, image_digest, images_digest
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced
from fewshot.transforms import FeatureTransform

# samplers


@dataclass(frozen=True)
class GoodSampler(Balanced):
    """Episodes of Balanced; faults are planted into them."""

    def sample(self, images, classes, shape, seed, start, count):
        return super().sample(images, classes, shape, seed, start, count)


@dataclass(frozen=True)
class SeedsByTheCount(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return replace(super().sample(images, classes, shape, seed + count, start, count), seed=seed)


@dataclass(frozen=True)
class SeedsByTheStart(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return replace(super().sample(images, classes, shape, seed + start, start, count), seed=seed)


@dataclass(frozen=True)
class AsksOfTheSupport(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        made = super().sample(images, classes, shape, seed, start, count)
        return replace(made, query=made.support, query_count=made.support_count)


@dataclass(frozen=True)
class DrawsFromAllClasses(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return super().sample(images, np.arange(len(images.class_names)), shape, seed, start, count)


@dataclass(frozen=True)
class MislabelsRows(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        made = super().sample(images, classes, shape, seed, start, count)
        return replace(made, support=np.roll(made.support, 1))


@dataclass(frozen=True)
class ForgetsTheGroups(GoodSampler):
    apart: str = "video"

    def sample(self, images, classes, shape, seed, start, count):
        return Balanced().sample(images, classes, shape, seed, start, count)


@dataclass(frozen=True)
class MinesTheOrder(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return replace(super().sample(images, classes, shape, seed + int(classes[0]), start, count), seed=seed)


@dataclass(frozen=True)
class SeedsByTheShots(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return replace(super().sample(images, classes, shape, seed + (shape.k_shot or 0), start, count), seed=seed)


@dataclass(frozen=True)
class ReversesTheSupport(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        made = super().sample(images, classes, shape, seed, start, count)
        runs = np.split(made.support, np.cumsum(made.support_count)[:-1])
        return replace(made, support=np.concatenate([run[::-1] for run in runs]))


@dataclass(frozen=True)
class IgnoresTheSeed(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return replace(super().sample(images, classes, shape, 0, start, count), seed=seed)


@dataclass(frozen=True)
class RepeatsAnEpisode(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        if not count:
            return super().sample(images, classes, shape, seed, start, count)
        one = super().sample(images, classes, shape, seed, 0, 1)
        parts = [replace(one, index=np.array([i])) for i in range(start, start + count)]
        return Episodes.concatenate(parts)


@dataclass(frozen=True)
class NeedsAnEpisode(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        return super().sample(images, classes, shape, seed, start, max(1, count))


@dataclass(frozen=True)
class DrawsFromNumpy(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        np.random.rand()
        return super().sample(images, classes, shape, seed, start, count)


@dataclass(frozen=True)
class SeedsFromNumpy(GoodSampler):
    def sample(self, images, classes, shape, seed, start, count):
        drawn = int(np.random.get_state()[1][0]) + int(np.random.get_state()[2])
        return replace(super().sample(images, classes, shape, drawn, start, count), seed=seed)


@dataclass(frozen=True)
class HidesAField(GoodSampler):
    secret: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "secret", random.Random(id(self)).random())


SAMPLER_FAULTS = [
    (samplers.more_episodes_keep_the_first_ones, SeedsByTheCount()),
    (samplers.shards_make_their_own_episodes, SeedsByTheStart()),
    (samplers.episodes_are_well_formed, AsksOfTheSupport()),
    (samplers.episodes_are_well_formed, DrawsFromAllClasses()),
    (samplers.episodes_are_well_formed, MislabelsRows()),
    (samplers.groups_stay_on_one_side, ForgetsTheGroups()),
    (samplers.the_order_of_the_classes_does_not_matter, MinesTheOrder()),
    (samplers.fewer_shots_begin_more, SeedsByTheShots()),
    (samplers.fewer_shots_begin_more, ReversesTheSupport()),
    (samplers.other_seeds_and_indices_give_other_episodes, IgnoresTheSeed()),
    (samplers.other_seeds_and_indices_give_other_episodes, RepeatsAnEpisode()),
    (samplers.no_episodes_are_no_error, NeedsAnEpisode()),
    (samplers.same_call_same_episodes, DrawsFromNumpy()),
    (samplers.same_call_same_episodes, SeedsFromNumpy()),
    (samplers.spec_round_trip, HidesAField()),
]

# data sets

PIXELS = np.random.default_rng(0).integers(0, 256, size=(12, 6, 5, 3), dtype=np.uint8)
LOADS = []


class Pictures:
    """Images by a function of the row."""

    def __init__(self, picture):
        self.picture = picture

    def __len__(self):
        return len(PIXELS)

    def __getitem__(self, row):
        return self.picture(row)


@dataclass(frozen=True)
class Pixels(Dataset):
    """Twelve small images of three classes, with one thing wrong."""

    fault: str = ""

    def default_split(self):
        return "BySeed(novel=0.3)" if self.fault == "one novel class" else "BySeed(novel=0.7)"

    def class_list(self):
        return ClassList("pixels", ("c", "b", "a") if self.fault == "another class list" else ("a", "b", "c"))

    def load(self):
        LOADS.append(self)
        if self.fault == "global draw":
            np.random.rand()
        images = {
            "grey": Pictures(lambda row: Image.fromarray(PIXELS[row]).convert("L")),
            "arrays": Pictures(lambda row: PIXELS[row]),
            "changing": ArrayImages(PIXELS + np.uint8(len(LOADS))),
        }.get(self.fault, ArrayImages(PIXELS))
        digest = images_digest(image_digest(Image.fromarray(pixels)) for pixels in PIXELS)
        names = ("a", "b", "c", "d") if self.fault == "an empty class" else ("a", "b", "c")
        return LabelledImages(
            "pixels",
            images,
            np.arange(12) % 3 * (1.0 if self.fault == "float labels" else 1),
            names,
            {"a constant digest": "v1", "another digest": f"v{len(LOADS)}"}.get(self.fault, digest),
            {"domain": Group(np.arange(12) % (3 if self.fault == "a nameless group" else 2), ("x", "y"))},
        )


@dataclass(frozen=True)
class HidesAFault(Pixels):
    secret: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "secret", random.Random(id(self)).random())


DATASET_FAULTS = [
    (datasets.labels_fit, Pixels("float labels")),
    (datasets.labels_fit, Pixels("an empty class")),
    (datasets.images_are_rgb, Pixels("grey")),
    (datasets.images_are_rgb, Pixels("arrays")),
    (datasets.two_loads_are_equal, Pixels("changing")),
    (datasets.two_loads_are_equal, Pixels("another digest")),
    (datasets.the_digest_names_the_pixels, Pixels("a constant digest")),
    (datasets.groups_name_what_they_group, Pixels("a nameless group")),
    (datasets.the_class_list_is_that_of_the_images, Pixels("another class list")),
    (datasets.the_default_split_fits, Pixels("one novel class")),
    (datasets.loading_uses_no_global_generator, Pixels("global draw")),
    (datasets.spec_round_trip, HidesAFault()),
]

# backbones


class Network(nn.Module):
    """Means of the colours, with one thing wrong."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.calls = fault, 0
        self.scale = nn.Parameter(torch.ones(3))
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, inputs):
        self.calls += 1
        features = inputs.mean((2, 3)) * self.scale
        if self.fault == "batch mean":
            features = features - features.mean(0)
        elif self.fault == "not finite":
            features = features / 0
        elif self.fault == "constant":
            features = features * 0
        elif self.fault == "counts calls":
            features = features + self.calls
        elif self.fault == "draws":
            torch.rand(1)
        elif self.fault == "remembers":
            self.seen += 1
        return features


@dataclass(frozen=True)
class Colours(BackboneSource):
    """The mean colour of an image, with one thing wrong."""

    fault: str = ""

    def load(self):
        network = freeze(Network(self.fault))
        if self.fault == "trains":
            network.train()
        elif self.fault == "gradients":
            network.requires_grad_(True)
        elif self.fault == "other weights":
            network.scale += torch.tensor(random.Random(id(network)).random())
        elif self.fault == "draws at load":
            torch.rand(1)
        digest = weights_digest(network.state_dict())
        preprocessing = "" if self.fault == "no digest" else "as it is" if self.fault == "any size" else "8 x 8"
        return Backbone("colours", network, self.preprocess, preprocessing, 3 + (self.fault == "dim"), 3, digest)

    def preprocess(self, image):
        small = image if self.fault == "any size" else image.resize((8, 8))
        return torch.from_numpy(np.array(small, dtype=np.float32)).permute(2, 0, 1)


@dataclass(frozen=True)
class HidesWeights(Colours):
    secret: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "secret", random.Random(id(self)).random())


BACKBONE_FAULTS = [
    (backbones.preprocessing_takes_any_size, Colours("any size")),
    (backbones.features_are_finite_of_dim, Colours("dim")),
    (backbones.features_are_finite_of_dim, Colours("not finite")),
    (backbones.features_are_finite_of_dim, Colours("constant")),
    (backbones.frozen_and_in_eval_mode, Colours("trains")),
    (backbones.frozen_and_in_eval_mode, Colours("gradients")),
    (backbones.same_bits_twice, Colours("counts calls")),
    (backbones.same_bits_twice, Colours("draws")),
    (backbones.same_bits_twice, Colours("other weights")),
    (backbones.rows_are_independent, Colours("batch mean")),
    (backbones.embedding_changes_nothing, Colours("remembers")),
    (backbones.digests_are_stable, Colours("other weights")),
    (backbones.digests_are_stable, Colours("no digest")),
    (backbones.loading_uses_no_global_generator, Colours("draws at load")),
    (backbones.spec_round_trip, HidesWeights()),
]

# transforms


@dataclass(frozen=True)
class Scaled(FeatureTransform):
    """Features times two, with one thing wrong."""

    fault: str = ""

    def fit(self, seen):
        return {
            "rows together": lambda x: x - x.mean(tuple(range(x.ndim - 1))),
            "in place": lambda x: x.mul_(2),
            "float16": lambda x: x.half(),
            "zero row": lambda x: x / x.norm(dim=-1, keepdim=True),
            "peeks": lambda x: x if seen is None else x - seen.mean(0),
            "global draw": lambda x: x + 0 * torch.rand(1).to(x.dtype),
            "global noise": lambda x: x + torch.rand(1).to(x.dtype),
        }.get(self.fault, lambda x: 2 * x)


@dataclass(frozen=True)
class SaysThatItNeedsSeen(Scaled):
    needs_seen = True


@dataclass(frozen=True)
class CentresOnNothing(Scaled):
    needs_seen = True

    def fit(self, seen):
        return lambda x: x if seen is None else x - seen.mean(0)


@dataclass(frozen=True)
class HidesAScale(Scaled):
    secret: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "secret", random.Random(id(self)).random())


TRANSFORM_FAULTS = [
    (transforms.shape_and_dtype, Scaled("float16")),
    (transforms.shape_and_dtype, Scaled("zero row")),
    (transforms.shape_and_dtype, Scaled("in place")),
    (transforms.row_by_row, Scaled("rows together")),
    (transforms.needs_seen_is_true, Scaled("peeks")),
    (transforms.needs_seen_is_true, SaysThatItNeedsSeen()),
    (transforms.needs_seen_is_true, CentresOnNothing()),
    (transforms.same_call_same_bits, Scaled("global draw")),
    (transforms.same_call_same_bits, Scaled("global noise")),
    (transforms.spec_round_trip, HidesAScale()),
]

FAULTS = {
    samplers: SAMPLER_FAULTS,
    datasets: DATASET_FAULTS,
    backbones: BACKBONE_FAULTS,
    transforms: TRANSFORM_FAULTS,
}
CASES = [(laws, law, member) for laws, faults in FAULTS.items() for law, member in faults]


@pytest.mark.parametrize(("laws", "law", "member"), CASES, ids=lambda x: getattr(x, "__name__", repr(x)))
def test_a_law_catches_who_breaks_it(laws, law, member):
    assert all(law(member, world) is not None for world in laws.worlds(member))


@pytest.mark.parametrize("laws", FAULTS, ids=lambda laws: laws.__name__)
def test_every_law_has_a_fault_that_it_catches(laws):
    assert {law for law, _ in FAULTS[laws]} == set(laws.LAWS)


GOOD = [("sampler", GoodSampler()), ("dataset", Pixels()), ("backbone", Colours()), ("transform", Scaled())]


@pytest.mark.parametrize(("kind", "member"), GOOD, ids=lambda x: repr(x))
def test_a_good_member_breaks_no_law(kind, member):
    assert check(kind, member) == []


def test_ragged_episodes_are_well_formed():
    world = samplers.SamplerWorld()
    ragged = EpisodeShape(4, 50, 3, True)
    assert len(set(world.sample(Balanced(), ragged).support_count.tolist())) > 1
    assert samplers.episodes_are_well_formed(Balanced(), world) is None
