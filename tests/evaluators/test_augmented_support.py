"""AugmentedSupport: heads on views of the support images, from the pictures to the rows."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fewshot
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.conformance import LAWS, VectorWorld, worlds
from fewshot.conformance.judging import broken_laws
from fewshot.datasets import ArrayImages, Group, LabelledImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.augmented_support import AugmentedSupport
from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.standardised import Standardised
from fewshot.evaluators.tuning.support_views import FurtherViews
from fewshot.evaluators.tuning.views import draw_of_row, view
from fewshot.features.table import feature_table
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.runs.learner_setup import learner
from fewshot.runs.needs import needs
from fewshot.runs.pipeline import run
from fewshot.runs.solving import solve
from fewshot.runs.specs import RunSpec
from fewshot.runs.workbench import Workbench
from tests.support.checkout import ROOT
from tests.support.command_line import QUICK, call, fail, succeed

pytestmark = pytest.mark.usefixtures("working_folder")

PIXELS = np.random.default_rng(0).integers(0, 256, size=(40, 9, 11, 3), dtype=np.uint8)
LABELS = np.repeat(np.arange(4), 10)
IMAGES = LabelledImages("noise", ArrayImages(PIXELS), LABELS, ("a", "b", "c", "d"), "digest of test_augmented_support")
MATTERS = replace(IMAGES, class_groups={"orientation_matters": Group.of(["yes", "no", "yes", "no"])})
EPISODES = fewshot.Balanced().sample(IMAGES, np.arange(4), fewshot.EpisodeShape(3, 2, 4), seed=5, start=0, count=6)
TILED = AugmentedSupport(LinearProbe(), views=4, augment="crop+flip+colour", seed=7)


def learn(evaluator=TILED, episodes=EPISODES):
    backbone = RawPixels(5).load()
    rows = np.union1d(episodes.support, episodes.query).astype(np.int64)
    support = np.unique(episodes.support).astype(np.int64)
    needed = needs(EVALUATORS.spec(evaluator), TRANSFORMS.spec("L2"), IMAGES, rows, support, np.arange(0))
    return learner(needed, backbone, lambda wanted, asked: feature_table(wanted, backbone, asked, progress=False))


def views_by_hand(row):
    """The views of an image as pictures, the plain one first."""
    picture = IMAGES.images[row]
    return [picture, *(view(picture, "crop+flip+colour", draw_of_row(7, row, number), False) for number in (1, 2, 3))]


def test_it_is_the_inner_evaluator_on_views_that_are_gathered_by_hand():
    backbone = RawPixels(5).load()

    def features(pictures):
        return nn.functional.normalize(torch.stack([backbone.preprocess(p).flatten() for p in pictures]), dim=1)

    found = solve(EPISODES, learn()).logits.reshape(6, 12, 3)
    support_rows, labels, _ = EPISODES.padded("support")
    for e in range(6):
        support = torch.cat([features(views_by_hand(row)) for row in support_rows[e].tolist()])[None]
        ways = torch.from_numpy(labels[e].repeat(4)).long()[None]
        alone = EpisodeBatch(support, ways, torch.ones_like(ways, dtype=torch.bool), 3, torch.zeros(1).long())
        query = features([IMAGES.images[row] for row in EPISODES.padded("query")[0][e].tolist()])
        expected = LinearProbe().fit(alone)(query[None])[0].numpy()
        np.testing.assert_allclose(found[e].astype(np.float32), expected, rtol=2e-3, atol=1e-4)  # kept as float16


def test_one_view_is_the_inner_evaluator():
    one, inner = (solve(EPISODES, learn(e)) for e in (AugmentedSupport(LinearProbe(), views=1), LinearProbe()))
    assert np.array_equal(one.logits, inner.logits)


def test_predictions_do_not_depend_on_the_budget():
    small, large = (solve(EPISODES, learn(), budget_bytes=budget) for budget in (1, 1 << 26))
    assert np.array_equal(small.predicted, large.predicted)
    np.testing.assert_allclose(small.logits, large.logits, rtol=2e-3)


def test_features_that_do_not_fit_in_memory_are_read_at_every_use(monkeypatch):
    """Of episodes that are padded, too, and use few of the images: row 0 is in no support."""
    ragged = fewshot.Episodes.from_rows(IMAGES, [[3, 4, 11, 12, 13], [14, 15, 21]], [[0, 17], [18, 22]])
    held = solve(ragged, learn(episodes=ragged))
    monkeypatch.setattr("fewshot.runs.learner_setup._HELD_BYTES", 0)
    assert np.array_equal(solve(ragged, learn(episodes=ragged)).logits, held.logits)


def test_working_bytes_count_every_view():
    inner = LinearProbe()
    assert TILED.working_bytes(10, 5, 64) > inner.working_bytes(40, 5, 64) + 40 * 8 * 64
    of_views = [AugmentedSupport(inner, views).working_bytes(10, 5, 64) for views in (1, 2, 5)]
    assert of_views == sorted(set(of_views))


def seen_by(views, images):
    """sha256 of the pixels of all views of all images."""
    sha = hashlib.sha256()
    for one in views.of(images).values():
        for row in range(len(one)):
            sha.update(one.images[row].tobytes())
    return sha.hexdigest()


def test_views_are_the_same_in_another_process_and_in_any_order():
    code = f"from {__name__} import *; print(seen_by(FurtherViews(2, 'crop+flip', 3), IMAGES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split()[-1:] == [seen_by(FurtherViews(2, "crop+flip", 3), IMAGES)], done.stderr
    first, second = FurtherViews(2, "crop+flip", 3).of(IMAGES).values()
    backwards = [second.images[row].tobytes() for row in reversed(range(40))]
    assert backwards[::-1] == [second.images[row].tobytes() for row in range(40)]
    assert all(first.images[row].tobytes() != second.images[row].tobytes() for row in range(40))
    assert np.array_equal(draw_of_row(3, 17, 2)[:3] * 2**32, [3635378382, 4257382275, 3101275860])


def test_the_name_of_a_view_holds_everything_that_changes_its_pixels():
    kinds = [FurtherViews(2, "flip"), FurtherViews(2, "crop"), FurtherViews(2, "flip", seed=1)]
    others = [replace(IMAGES, images_digest="other"), MATTERS]
    digests = [one.images_digest for kind in kinds for one in kind.of(IMAGES).values()]
    digests += [one.images_digest for images in others for one in kinds[0].of(images).values()]
    assert len({IMAGES.images_digest, *digests}) == 11
    more = FurtherViews(4, "flip").of(IMAGES).values()
    assert [one.images_digest for one in more][:2] == digests[:2]  # more views add to those that are there


def test_images_whose_orientation_matters_are_not_flipped():
    flipped = np.zeros(40, dtype=bool)
    for one in FurtherViews(6, "flip").of(MATTERS).values():
        for row in range(40):
            seen = np.asarray(one.images[row])
            assert np.array_equal(seen, PIXELS[row]) or np.array_equal(seen, PIXELS[row][:, ::-1])
            flipped[row] |= not np.array_equal(seen, PIXELS[row])
    upright = np.isin(LABELS, [0, 2])
    assert not flipped[upright].any()
    assert flipped[~upright].mean() > 0.8


def test_a_resumed_run_is_the_run_in_one_go_and_embeds_each_view_once(tmp_path, monkeypatch):
    spec = RunSpec("Icons", "RawPixels(4)", TILED, transform="L2", split="AllNovel", n_episodes=8)
    spec = replace(spec, episodes=fewshot.Sampled(fewshot.EpisodeShape(3, 1, 2)))

    def row(name, n_episodes, evaluator=TILED):
        bench = Workbench(progress=False, images=lambda _: IMAGES)
        asked = replace(spec, n_episodes=n_episodes, evaluator=evaluator)
        return run(asked, fewshot.Results(tmp_path / name), bench)

    row("parts.jsonl", 3)
    resumed = row("parts.jsonl", 8)
    episodes = fewshot.Balanced().sample(IMAGES, np.arange(4), fewshot.EpisodeShape(3, 1, 2), 0, 0, 8)
    support, query = np.unique(episodes.support), np.unique(episodes.query)
    assert resumed.n_embedded == len(np.union1d(support, query)) + 3 * len(support)
    assert row("other.jsonl", 8, replace(TILED, inner=Prototype())).n_embedded == 0
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "another"))
    whole = row("whole.jsonl", 8)
    assert whole.n_embedded == resumed.n_embedded
    one, other = (
        np.concatenate([p.logits for p in fewshot.Results(tmp_path / name).parts(resumed.run_id).read(8)])
        for name in ("parts.jsonl", "whole.jsonl")
    )
    assert np.array_equal(one, other)


def test_a_dry_run_counts_the_images_of_every_view():
    asked = ("run", "--data", "birds", "--shot", "1", *QUICK, "--json")
    tiled = ("--evaluator", "AugmentedSupport(LinearProbe(), views=3)")
    plan = json.loads(succeed(*asked, *tiled, "--dry-run"))
    plain, first, second = plan["embeddings"]
    assert first["dataset"] == plain["dataset"]
    assert (plain["view"], first["view"]) == ("", "view 1 (crop+flip, seed 0)")
    assert 0 < first["n_missing"] == second["n_missing"] < plain["n_missing"]
    assert plan["n_images"] == plain["n_missing"] + 2 * first["n_missing"]
    [row] = json.loads(succeed(*asked, *tiled))["rows"]
    assert row["n_embedded"] == plan["n_images"]
    assert json.loads(succeed(*asked, "--evaluator", "Prototype", "--dry-run"))["n_images"] == 0


def test_a_live_network_sees_the_views():
    seen = set()

    class Watched(nn.Module):
        def forward(self, inputs):
            seen.update(one.numpy().tobytes() for one in inputs)
            return inputs.flatten(1)

    preprocess = RawPixels(5).load().preprocess
    row = fewshot.evaluate(Watched(), IMAGES, EPISODES, TILED, preprocess=preprocess, progress=False)
    for support in np.unique(EPISODES.support).tolist():
        assert all(preprocess(picture).numpy().tobytes() in seen for picture in views_by_hand(support))
    assert row.accuracy == fewshot.evaluate("RawPixels(5)", IMAGES, EPISODES, TILED, progress=False).accuracy
    assert row.evaluator == repr(TILED)


def test_vectors_have_no_views_and_that_is_one_sentence():
    np.savez("features.npz", features=np.random.default_rng(0).normal(size=(24, 5)), labels=np.repeat(np.arange(6), 4))
    asked = ("--data", "features.npz", "--shot", "1", "--query", "2", "--episodes", "3", "--preset", "RFS")
    sentence = "learns from views of images, but features holds vectors; remove AugmentedSupport"
    assert sentence in fail("run", *asked)
    planned = call("run", *asked, "--dry-run")
    assert planned.exit_code == 1
    assert sentence in planned.output


def test_a_wrong_augment_is_one_sentence_and_embeds_nothing():
    wrong = "AugmentedSupport(LinearProbe(), augment='rotate')"
    assert fail("run", "--data", "birds", *QUICK, "--shot", "1", "--query", "2", "--evaluator", wrong).endswith(
        "The 'augment' parameter of AugmentedSupport must be one of flip, crop, crop+flip, crop+flip+colour. "
        "Got 'rotate' instead."
    )
    assert not list(Path().glob("**/features/*"))


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (
            lambda: AugmentedSupport("LinearProbe"),
            "The 'inner' parameter of AugmentedSupport must be an evaluator of features",
        ),
        (lambda: AugmentedSupport(TILED), "nor needs views itself"),
        (
            lambda: AugmentedSupport(CrossValidated(LinearProbe(), (("C", (0.1, 1.0)),))),
            r"put CrossValidated around AugmentedSupport.*Got CrossValidated\(",
        ),
        (
            lambda: AugmentedSupport(LinearProbe(), views=0),
            "The 'views' parameter of AugmentedSupport must be an integer of at least 1",
        ),
        (
            lambda: AugmentedSupport(LinearProbe(), augment="none"),
            "The 'augment' parameter of AugmentedSupport must be one of flip",
        ),
        (
            lambda: AugmentedSupport(LinearProbe(), seed=-1),
            r"The 'seed' parameter of AugmentedSupport must be an integer in \[0, 2\^64",
        ),
        (
            lambda: CrossValidated(TILED, (("views", (1, 4)),)),
            "its grid needs 2 kinds of them; choose views on validation",
        ),
    ],
)
def test_what_cannot_be_is_told(evaluator, message):
    with pytest.raises(ValueError, match=message):
        evaluator().support_views()


def test_a_batch_without_the_views_is_refused():
    batch = VectorWorld(n_views=2).trial(0).batch
    with pytest.raises(ValueError, match=r"learns from 3 further views of each support image, but the batch holds 2"):
        TILED.fit(batch)
    with pytest.raises(ValueError, match=r"3 further views .* holds 0; an evaluator around it must return them"):
        TILED.fit_path(replace(batch, support_views=None), [TILED])


HELD = (
    "alone_as_in_a_batch",
    "support_order_does_not_matter",
    "arguments_are_unchanged",
    "spec_round_trip",
    "padding_does_not_matter",
    "a_path_is_each_member_alone",
)
AROUND = [
    Standardised(AugmentedSupport(LinearProbe(), views=3)),
    CrossValidated(AugmentedSupport(LinearProbe(), 3), (("inner", (LinearProbe(0.1), Prototype())),), folds=2),
]


@pytest.mark.parametrize("evaluator", AROUND, ids=repr)
def test_evaluators_around_it_obey_the_laws(evaluator):
    assert evaluator.support_views() == FurtherViews(2, "crop+flip")
    laws = [law for law in LAWS if law.__name__ in HELD]
    assert broken_laws(evaluator, laws, worlds(evaluator)) == []


def test_standardised_moves_the_views_with_the_support():
    trial = VectorWorld(torch.float64, n_views=3).trial(2)
    rows = trial.batch.support
    mean, scale = rows.mean(1, keepdim=True), rows.std(1, correction=0, keepdim=True) + 1e-5
    moved = replace(
        trial.batch,
        support=(rows - mean) / scale,
        support_views=(trial.batch.support_views - mean[:, :, None]) / scale[:, :, None],
    )
    found = Standardised(TILED).fit(trial.batch)(trial.query)
    torch.testing.assert_close(found, TILED.fit(moved)((trial.query - mean) / scale))


def test_cross_validation_leaves_an_image_out_with_all_of_its_views():
    """A view that lies on another class's rows misleads only the folds that hold its image."""
    trial = VectorWorld(torch.float64, n_views=1).trial(3, n_way=2, k_shot=2, separation=8.0)
    views = trial.batch.support.flip(1)[:, :, None]  # the view of a row of one class is a row of the other
    batch = replace(trial.batch, support_views=views)
    tiled = AugmentedSupport(Prototype(), views=2)
    head = CrossValidated(tiled, (("inner", (Prototype(), Prototype("cosine"))),), folds=None).fit(batch)
    accuracy = torch.zeros(3, 2, dtype=torch.float64)
    for column, metric in enumerate(("euclidean", "cosine")):
        for row in range(4):
            mask = batch.support_mask.clone()
            mask[:, row] = False
            alone = replace(tiled, inner=Prototype(metric)).fit(replace(batch, support_mask=mask))
            logits = alone(batch.support[:, row : row + 1])[:, 0]
            accuracy[:, column] += (logits.argmax(1) == batch.support_labels[:, row]).double() / 4
    torch.testing.assert_close(head.score.accuracy, accuracy)
