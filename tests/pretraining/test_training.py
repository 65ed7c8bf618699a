"""Every recipe trains alike: seeded, resumable, honest about what it saw. A new file needs no new test."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import fewshot
from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.conformance import check
from fewshot.datasets import ArrayImages
from fewshot.datasets.partitioned import Partitioned
from fewshot.plugins.registry import BACKBONES, EVALUATORS, RECIPES
from fewshot.pretraining._material import balanced_subset, material
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.ladders import class_ladder, data_ladder, network_ladder
from fewshot.pretraining.training import Training
from fewshot.results.seen_classes import seen_in_training
from fewshot.runs.columns import honesty
from fewshot.splits.by_seed import BySeed
from tests.support.stripes import Stripes
from tests.support.trained_networks import DATA, NET, SHORT, TRAINER, equal, trained, weights

EXAMPLES = [recipe for name in RECIPES.names() for recipe in RECIPES.get(name).examples()]


@pytest.mark.parametrize("recipe", EXAMPLES, ids=repr)
def test_the_same_seed_gives_the_same_bits_and_touches_no_global_generator(recipe, tmp_path, monkeypatch):
    source = Pretrained(NET, DATA, recipe, n_images=70)
    states = torch.get_rng_state().clone(), np.random.get_state()[1].copy()
    first = weights(source)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "other"))
    assert equal(weights(source), first)
    moved = [name for name in first if name.startswith("network.") and "weight" in name]
    start = NET.load().network.state_dict()
    assert any(not torch.equal(first[name], start[name.removeprefix("network.")]) for name in moved)


class Killed(Exception):
    """What ends a training in the middle."""


def killed_after(n_steps: int, source: Pretrained, monkeypatch) -> None:
    """Trains until so many steps are done; the state was written after each."""
    advance = Training._advance

    def advance_or_die(self: Training) -> None:
        if self._state.step == n_steps:
            raise Killed
        advance(self)

    with monkeypatch.context() as patch:
        patch.setattr("fewshot.pretraining.training._SAVED_EVERY", -1.0)
        patch.setattr(Training, "_advance", advance_or_die)
        with pytest.raises(Killed):
            TRAINER.ready(source)


@pytest.mark.parametrize("recipe", [e for e in EXAMPLES if len(e.trials()) == 1], ids=repr)
def test_a_training_that_was_killed_ends_in_the_same_bits(recipe, tmp_path, monkeypatch):
    source = Pretrained(NET, DATA, recipe, n_images=70)
    whole, record = weights(source), source.record
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "other"))
    killed_after(2, source, monkeypatch)
    assert (source.folder / "progress.safetensors").is_file()
    assert not source.weights.is_file()
    steps = []
    advance = Training._advance
    monkeypatch.setattr(Training, "_advance", lambda self: (steps.append(self._state.step), advance(self)))
    assert equal(weights(source), whole)
    assert steps[0] == 2
    assert not (source.folder / "progress.safetensors").exists()
    assert replace(source.record, seconds=0) == replace(record, seconds=0)


def test_a_damaged_state_or_one_of_other_images_is_not_taken_up(monkeypatch):
    source = Pretrained(NET, DATA, SHORT)
    killed_after(3, source, monkeypatch)
    path = source.folder / "progress.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    assert trained(source).record.steps == 6


def test_a_longer_training_lowers_the_loss_and_beats_chance_on_images_held_out():
    record = trained(Pretrained(NET, DATA, CrossEntropy(epochs=6, batch_size=12, lr=0.05))).record
    assert record.training_loss < 0.7 * record.first_loss
    assert record.seen_error < 0.5 < 1 - 1 / 7
    assert record.n_held_out == 7 * 5


def test_the_backbone_is_the_trained_network_and_obeys_the_laws():
    source = trained(Pretrained(NET, DATA, SHORT))
    backbone = source.load()
    broken = check("backbone", source)
    assert [law.partition(":")[0] for law in broken] == ["spec_round_trip"], "Stripes is of no folder"
    assert BACKBONES.make(BACKBONES.canonical(source)) == source
    assert backbone.dim == NET.load().dim
    assert backbone.training == source.record
    assert backbone.weights_digest != NET.load().weights_digest
    kept = {n.removeprefix("network."): v for n, v in load_file(source.weights).items() if n.startswith("network.")}
    assert equal(kept, dict(backbone.network.state_dict()))


def test_the_small_net_obeys_the_laws_of_backbones():
    for net in (ConvNet(width=4, depth=2), ConvNet(width=6, depth=3, norm="group", image_size=20, seed=3)):
        assert check("backbone", net) == []
        assert net.load().dim == net.width * 2 ** (net.depth - 1)


def test_a_network_of_timm_can_be_trained():
    recipe = CrossEntropy(steps=2, batch_size=4)
    source = trained(Pretrained(RandomInit("test_resnet", image_size=32), DATA, recipe, n_images=14))
    assert source.load().training.n_params > 0


def test_an_absent_network_is_not_trained_by_load():
    source = Pretrained(NET, DATA, SHORT)
    with pytest.raises(ValueError, match="is not trained yet; run: fewshot pretrain, with"):
        source.load()
    assert source.to_train() == BACKBONES.canonical(source)
    assert trained(source).to_train() == ""


def test_specs_hold_members_of_other_kinds():
    short = "Pretrained(ConvNet(4), Partitioned(Icons), CrossEntropy(steps=6), split=BySeed(seed=2))"
    source = BACKBONES.make(short)
    assert source == BACKBONES.make(repr(source)) == BACKBONES.make(BACKBONES.canonical(source))
    assert source.split == BySeed(seed=2)
    assert BACKBONES.canonical(short) == BACKBONES.canonical(
        "Pretrained('ConvNet(4)', 'Partitioned(Icons())', 'CrossEntropy(steps=6)', 'BySeed(seed=2)')"
    )
    assert BACKBONES.make("Pretrained(ConvNet, 'Icons', 'CrossEntropy')").recipe == CrossEntropy()
    with pytest.raises(ValueError, match=r"unknown recipe 'Crossentropy'.*Did you mean CrossEntropy"):
        BACKBONES.canonical("Pretrained(ConvNet, Icons, Crossentropy)")


@pytest.mark.parametrize(
    "inner", ["os.nothing:Stripes", "'os.nothing:Stripes(noise=1.0)'", "Partitioned(os.nothing:S)"]
)
def test_code_named_inside_a_spec_from_a_file_is_refused(inner):
    with pytest.raises(ValueError, match=r"the dataset 'os.nothing:S.*' comes from a file and would import code"):
        BACKBONES.make(f"Pretrained(ConvNet(), {inner}, CrossEntropy())", allow_import=False)


def test_a_folder_inside_a_spec_is_part_of_its_identity(folder):
    spec = f"Pretrained(ConvNet(), ImageFolderSet({str(folder)!r}), CrossEntropy())"
    assert str(folder) in BACKBONES.spec(spec).identity


def test_subsets_are_nested_and_balanced():
    data = Stripes().load()
    rows = np.flatnonzero((data.labels != 3) | (np.arange(240) < 65))  # class 3 has 5 images
    images = replace(data, images=ArrayImages(data.images.pixels[rows]), labels=data.labels[rows])
    small, large = balanced_subset(images, 50, seed=1), balanced_subset(images, 100, seed=1)
    held = [{p.tobytes() for p in (np.asarray(s.images[i]) for i in range(len(s)))} for s in (small, large)]
    assert held[0] < held[1]
    assert [len(s) for s in (small, large)] == [50, 100]
    sizes = np.bincount(large.labels)
    assert sizes[3] == 5
    assert np.ptp(np.delete(sizes, 3)) <= 1
    other = balanced_subset(images, 50, seed=2)
    assert not np.array_equal(other.images.rows, small.images.rows)


def test_held_out_images_are_not_trained_on():
    images = DATA.load()
    split = BySeed().split(images)
    made = material(images, split, None, 0)
    rows = [set(part.images.rows) for part in (made.train, made.validation, made.test)]
    assert [len(r) for r in rows] == [len(split.seen) * n for n in (12, 3, 5)]
    assert len(set.union(*rows)) == sum(map(len, rows))
    assert set(images.labels[sorted(rows[0])]) == set(split.classes("seen", images))
    assert made.train.class_names == split.seen
    assert (DATA.load().image_groups["partition"].codes == images.image_groups["partition"].codes).all()


def test_without_partitions_all_images_of_the_seen_classes_are_trained_on():
    images = Stripes().load()
    made = material(images, BySeed().split(images), None, 0)
    assert len(made.train) == len(BySeed().split(images).seen) * 20
    assert made.validation is made.test is None


def test_classes_whose_orientation_matters_are_not_flipped(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "fewshot.pretraining._batches.view", lambda image, augment, numbers, fixed: asked.append(fixed) or image
    )
    trained(Pretrained(NET, DATA, CrossEntropy(steps=3, batch_size=30)))
    assert set(asked) == {True, False}


def test_a_run_trains_what_is_missing_and_says_what_it_saw(results):
    source = Pretrained(NET, DATA, SHORT, n_images=70, seed=3)
    data = "tests.support.stripes:Stripes"
    spec = BACKBONES.canonical(source)
    shape = fewshot.Sampled(fewshot.EpisodeShape(3, 1, 2))
    held_out = replace(shape, sampler="Balanced('partition=test', 'partition=test')")
    bench = fewshot.Workbench(progress=False)
    runs = [
        fewshot.RunSpec(
            f"Partitioned({data}, test=5, validation=3)", spec, "Prototype", held_out, "L2", part, n_episodes=5
        )
        for part in ("novel", "seen")
    ]
    novel, seen = (fewshot.run(run, results, bench) for run in runs)
    assert (novel.seen_classes, seen.seen_classes) == ("not seen", "seen")
    assert novel.pretrained_on == "stripes: 70 images of 7 classes"
    assert (novel.unique_images, novel.images_processed, novel.training_seed) == (70, 96, 3)
    assert (novel.training_rule, novel.training_classes) == ("steps", 7)
    assert novel.network == "ConvNet(width=4, depth=2, image_size=16, norm='batch', seed=0)"
    assert novel.seen_error == source.record.seen_error
    assert novel.n_held_out == source.record.n_held_out == 5 * 7
    assert fewshot.Row.from_json(novel.to_json()) == novel


def test_python_and_evaluate_take_it_too():
    images = DATA.load()
    episodes = fewshot.Balanced().sample(images, np.arange(12), fewshot.EpisodeShape(3, 1, 2), 0, 0, 4)
    row = fewshot.evaluate(Pretrained(NET, DATA, SHORT), images, episodes, "Prototype", progress=False)
    assert row.recipe.startswith("CrossEntropy(")


def test_a_network_trained_before_is_trained_on():
    first = Pretrained(NET, DATA, SHORT)
    second = trained(Pretrained(first, DATA, CrossEntropy(steps=2, batch_size=8, lr=0.01), split=BySeed(seed=5)))
    assert first.weights.is_file()
    record = second.record
    assert set(record.before) == set(first.record.classes)
    assert second.load().pretrained_on == "stripes: 84 images of 7 classes; stripes: 72 images of 6 classes"
    assert "pre-trained on stripes" in record.network
    assert (first.record.started_on, record.started_on) == ("nothing", "stripes: 84 images of 7 classes")


def test_a_start_of_known_data_is_judged_like_any_weights():
    record = replace(trained(Pretrained(NET, DATA, SHORT)).record, before=None, started_on="a1_in1k")
    found = seen_in_training(record, "x", [record.classes[0], "tabby", "carrot", "quux", "piano"])
    assert [c.state for c in found.classes] == ["seen", "seen", "unknown", "unknown", "seen"]
    assert found.by == "the record of its training and class names"
    same = seen_in_training(replace(record, before=()), record.data, ["tabby"]).classes[0]
    assert (same.state, same.evidence) == ("not seen", "the record of its training does not have it")


def test_what_classes_of_other_data_show_decides_not_their_names_alone():
    record = replace(trained(Pretrained(NET, DATA, SHORT)).record, before=())
    named = replace(record, data="my things", classes=("sofa", "tabby", "carrot", "beetle"))
    states = {c.name: c.state for c in seen_in_training(named, "x", ["couch", "cat", "kitten", "piano", "bug"]).classes}
    assert states == {"couch": "seen", "cat": "seen", "kitten": "seen", "piano": "not seen", "bug": "unknown"}
    codes = seen_in_training(record, "x", ["couch", "piano"])
    assert (codes.state, codes.classes[0].evidence) == ("unknown", f"no list says which classes {record.data} shows")


@pytest.mark.parametrize(
    ("before", "state"), [((), ("not seen", 0, 0)), (None, ("unknown", 0, 5)), (("class 00",), ("seen", 1, 0))]
)
def test_what_a_start_saw_before_counts(before, state):
    backbone = trained(Pretrained(NET, DATA, SHORT)).load()
    images = DATA.load()
    new = BySeed(novel=0.4, validation=0.0).split(images).classes("novel", images)
    assert "class 00" in {images.class_names[label] for label in new}
    backbone = replace(backbone, training=replace(backbone.training, before=before))
    made = honesty(EVALUATORS.spec("Prototype"), images, new, backbone)
    assert (made.seen_classes, made.n_seen_classes, made.n_unknown_classes) == state


def test_stopping_keeps_the_weights_with_the_least_validation_loss():
    recipe = CrossEntropy(epochs=4, batch_size=12, lr=0.1, stop="validation")
    record = trained(Pretrained(NET, DATA, recipe)).record
    assert record.validation_loss is not None
    assert 0 < record.stopped_at <= record.steps
    assert record.images_processed == record.stopped_at * 12
    assert record.all_images_processed == record.steps * 12


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            Pretrained(NET, Stripes(), CrossEntropy(steps=2, stop="validation")),
            "stop='validation' needs images of part",
        ),
        (
            Pretrained(NET, DATA, SHORT, n_images=3),
            "n_images = 3 is not possible: stripes has 84 images of 7 seen classes",
        ),
        (Pretrained(NET, DATA, SHORT, n_images=300), r"choose 7 to 84"),
        (
            Pretrained(NET, DATA, SHORT, split=BySeed(novel=1.0, validation=0.0)),
            "this split of stripes has no seen classes",
        ),
        (Pretrained(RawPixels(), DATA, SHORT), "has no weights to train; choose a network, such as ConvNet"),
        (
            Pretrained(NET, DATA, CrossEntropy(steps=3, lr=1e30, warmup=0.0)),
            "the loss is not finite at step .* of 3, at a l",
        ),
        (Pretrained(NET, Partitioned(Stripes(), test=20), SHORT), "class 'class 00' of stripes has 20; hold out fewer"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_sentence(source, text):
    with pytest.raises(ValueError, match=text):
        TRAINER.ready(source)
    assert not source.weights.exists()


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: Pretrained(NET, DATA, SHORT, seed=-1), "The 'seed' parameter of Pretrained must be an integer in"),
        (lambda: CrossEntropy(lr=0), "The 'lr' parameter of CrossEntropy must be a positive number. Got 0 instead."),
        (lambda: CrossEntropy(augment="turn"), "The 'augment' parameter of CrossEntropy must be one of none, flip"),
        (lambda: CrossEntropy(warmup=1.0), r"The 'warmup' parameter of CrossEntropy must be a number in \[0, 1\)"),
        (lambda: ConvNet(width=0), "The 'width' parameter of ConvNet must be an integer of at least 1. Got 0"),
        (lambda: ConvNet(depth=6), "The 'image_size' parameter of ConvNet must be at least 64 pixels"),
    ],
)
def test_wrong_hyperparameters_are_told_before_anything_is_trained(made, text):
    with pytest.raises(ValueError, match=text):
        made()


def test_ladders_nest_and_move_everything_with_the_seed():
    base = Pretrained(NET, DATA, SHORT)
    rungs = data_ladder(base, (14, 28), (0, 1))
    assert [(r.n_images, r.seed, r.network.seed) for r in rungs] == [(14, 0, 0), (28, 0, 0), (14, 1, 1), (28, 1, 1)]
    wide = network_ladder(base, [NET, replace(NET, width=8)], (14, None), (2,))
    assert [(r.network.width, r.n_images, r.network.seed) for r in wide] == [
        (4, 14, 2),
        (4, None, 2),
        (8, 14, 2),
        (8, None, 2),
    ]
    images = DATA.load()
    few, more = (r.split.split(images) for r in class_ladder(base, (3, 6), (0,), per_class=4))
    assert set(few.seen) < set(more.seen)
    assert few.novel == more.novel
    fixed = class_ladder(base, (3, 6), (0,), n_images=24)
    assert [len(TRAINER.material(r).train) for r in fixed] == [24, 24]
    assert [TRAINER.material(r).n_classes for r in fixed] == [3, 6]
    with pytest.raises(ValueError, match="per_class images of each class, or n_images in total; give one"):
        class_ladder(base, (3, 6), (0,))
    with pytest.raises(ValueError, match=r"The 'n_seen' parameter of Narrowed must be in 1\.\.7"):
        TRAINER.material(class_ladder(base, (9,), (0,), per_class=1)[0])


def test_the_record_is_readable_json_and_a_damaged_one_is_told():
    source = trained(Pretrained(NET, DATA, SHORT))
    path = source.folder / "record.json"
    assert json.loads(path.read_text())["spec"] == BACKBONES.canonical(source)
    assert {f.name for f in dataclasses.fields(source.record)} == set(json.loads(path.read_text())) - {"checksum"}
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"is not the record of a training .*; remove its folder"):
        source.load()
