"""Exponents of adaptation and gains from rows, on rows drawn from known laws."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.results.row import Row
from fewshot.scaling.studies.adaptation import downstream, exponent, ladders, new_minus_seen
from fewshot.scaling.studies.ladders import SEEN_ERROR, Ladder
from fewshot.scaling.studies.near_and_far import gains_of
from fewshot.scaling.studies.sources import source_matrices
from fewshot.scaling.studies.trained_rows import trained
from tests.support.command_line import fail, succeed
from tests.support.trained_rows import ALL, B_ALL, SEEDS, SIZES, B, lines, row, trained_of, written


def test_exponents_of_known_laws_come_back():
    result = {ladder.name: exponent(ladder) for ladder in ladders(trained(ALL))}
    assert len(result) == 4
    assert result[SEEN_ERROR].b == pytest.approx(B_ALL, abs=1e-6)
    for (classes, k_shot), b in B.items():
        [estimate] = [e for name, e in result.items() if f"{classes} classes" in name and f"{k_shot}-shot" in name]
        assert estimate.b == pytest.approx(b, abs=1e-6)
        assert estimate.low == pytest.approx(b, abs=1e-3)
        assert estimate.high == pytest.approx(b, abs=1e-3)
        assert estimate.ladder.seeds == SEEDS


def test_new_minus_seen_is_quoted_on_equal_protocols_first():
    first, *others = new_minus_seen(ladders(trained(ALL)))
    assert first.first.protocol == first.second.protocol.with_classes("seen")
    assert first.difference.value == pytest.approx(0.2 - 0.3, abs=1e-6)
    assert [d.first.name for d in others] == [SEEN_ERROR] * 2
    assert sorted(d.difference.value for d in others) == pytest.approx([0.2 - B_ALL, 0.5 - B_ALL], abs=1e-6)


def test_the_error_downstream_follows_that_upstream():
    result = {ladder.name: ladder for ladder in ladders(trained_of(*(row(size, 0) for size in SIZES)))}
    upstream = result.pop(SEEN_ERROR)
    [new] = result.values()
    assert downstream(upstream, new) == pytest.approx((1.0, 0.2 / B_ALL))


def test_rungs_near_chance_or_that_did_not_learn_are_omitted_and_named():
    rows = [row(size, seed) for size in SIZES for seed in SEEDS]
    near = row(50, 1, accuracy=0.055, accuracy_low=0.045)
    [few, *_] = ladders(trained_of(*rows, near, row(1600, 0, training_loss=5.1)))
    assert few.sizes.tolist() == list(SIZES)
    assert few.dropped[:2] == (
        "50 images: within two standard errors of chance",
        "1600 images: its training loss did not fall",
    )
    [short, *_] = ladders(trained_of(*rows, row(200, 3)))
    assert short.dropped == ("seed 3: some of its rungs are missing",)
    assert short.seeds == SEEDS
    assert ladders(trained_of(Row("a", accuracy=0.5))) == []


def test_arms_are_kept_apart():
    other = [row(size, 0, training_rule="steps") for size in SIZES]
    result = ladders(trained(ALL) + trained_of(*other))
    assert {ladder.arm.rule for ladder in result} == {"epochs", "steps"}


def test_a_rung_scored_on_fewer_classes_is_no_rung_of_a_ladder_of_images():
    narrowed = [
        row(1600, seed, classes, split=f"Narrowed(inner=Committed(name='icons_mono'), n_seen=32, seed={seed})")
        for seed in SEEDS for classes in ("seen", "novel")
    ]  # fmt: skip
    result = ladders(trained(ALL) + trained_of(*narrowed))
    assert {ladder.protocol.target.n_seen for ladder in result if ladder.protocol} == {None}
    assert all(ladder.sizes.tolist() == list(SIZES) for ladder in result if ladder.protocol)


def test_a_ladder_scored_on_fewer_classes_is_one_over_all_seeds_and_says_so():
    text = "Narrowed(inner=Committed(name='icons_mono'), n_seen=32, seed={})"
    rows = [row(size, seed, split=text.format(seed), seen_error=None) for size in SIZES for seed in SEEDS]
    [result] = ladders(trained_of(*rows))
    assert result.seeds == SEEDS
    assert "novel classes of Narrowed(inner=Committed(name='icons_mono'), n_seen=32), 20-way" in result.name


def test_gains_are_paired_by_seed():
    rows = [
        row(size, seed, n_params=p, accuracy=0.5 + 0.1 * (size == 800) + 0.05 * (p == 2000) + 0.01 * seed)
        for size in (100, 800) for p in (1000, 2000) for seed in SEEDS
    ]  # fmt: skip
    [result] = gains_of(trained_of(*rows))
    assert (result.source, result.head.text) == ("icons mono", "L2() + Prototype()")
    by = {(g.axis, g.fixed): g for g in result.gains}
    assert by["network", "100"].mean == pytest.approx(0.05)
    assert by["source", "1000"].mean == pytest.approx(0.1)
    assert by["source", "1000"].low == pytest.approx(0.1)
    assert {g.target for g in result.gains} == {"icons mono"}
    assert gains_of(trained_of(row(100, 0))) == []


def test_gains_of_other_classes_or_rules_are_those_of_sources_of_their_own():
    def gaining(gain: float, **changed: Any) -> list[Row]:
        return [row(n, seed, accuracy=0.5 + gain * (n == 512), **changed) for n in (256, 512) for seed in SEEDS]

    rows = [*gaining(0.1), *gaining(0.2, training_classes=32), *gaining(0.3, training_rule="steps", recipe="Steps()")]
    result = {each.source: [gain.mean for gain in each.gains] for each in gains_of(trained_of(*rows))}
    assert result == {
        "icons mono, 257 classes, epochs": pytest.approx([0.1]),
        "icons mono, 32 classes, epochs": pytest.approx([0.2]),
        "icons mono, 257 classes, steps": pytest.approx([0.3]),
    }
    other = row(512, 0, training_classes=64)  # of one size: it gains nothing, and no name need differ from it
    assert [each.source for each in gains_of(trained_of(*gaining(0.1), other))] == ["icons mono"]


def test_the_commands_answer(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in ALL))
    shown = succeed("study", "adaptation", str(path))
    assert "(b_new - b_seen), over the same checkpoints" in shown
    assert "novel of icons mono, 20-way 5-shot, L2 + Prototype" in shown
    values = json.loads(succeed("study", "adaptation", str(path), "--json"))
    assert set(values) == {"exponents", "new_minus_seen", "downstream"}
    assert np.isfinite([e["b"] for e in values["exponents"]]).all()
    far = tmp_path / "far.json"
    far.write_text(json.dumps({"distances": [{"source": "icons mono", "target": "icons mono", "mmd": 0.25}]}))
    [gain, *_] = json.loads(succeed("study", "gains", str(path), "--distances", str(far), "--json"))
    assert (gain["source"], gain["mmd"], gain["n_seeds"]) == ("icons mono", 0.25, 3)
    far.write_text("[]")
    assert "holds no distances" in fail("study", "gains", str(path), "--distances", str(far))


@pytest.mark.parametrize("study", ["adaptation", "sources", "gains"])
def test_one_seed_has_no_interval_and_says_so(study: str, tmp_path: Path):
    sources, targets = ("icons mono", "glyphs"), ("Icons(domain='mono')", "Glyphs()")
    rows = [
        row(size, 0, pretrained_on=f"{source}: {size} images", dataset=target)
        for size in SIZES for source in sources for target in targets
    ]  # fmt: skip
    path = written(tmp_path / "rows.jsonl", lines(*rows))
    shown, values = succeed("study", study, path), succeed("study", study, path, "--json")
    assert shown.count("One seed: no interval.") == 1
    assert "nan" not in shown.lower()
    assert '"low": null' in values
    assert "NaN" not in values


STRANGE: dict[str, Any] = {
    "text": "many",
    "list": [1],
    "object": {"a": 1},
    "yes": True,
    "infinite": 1e999,
    "NaN": np.nan,
}


@pytest.mark.parametrize("study", ["adaptation", "classes", "sources", "gains"])
@pytest.mark.parametrize("column", ["unique_images", "accuracy", "n_params", "k_shot", "training_seed", "seen_error"])
def test_a_strangers_row_is_refused_in_one_sentence(study: str, column: str, tmp_path: Path):
    for name, value in STRANGE.items():
        path = written(tmp_path / f"{name}.jsonl", [*ALL[1:], ALL[0] | {column: value}])
        message = fail("study", study, path)
        assert f"the column '{column}' of the row '100 0 seen 1 []' must be a" in message


@pytest.mark.parametrize("study", ["adaptation", "classes", "sources", "gains"])
@pytest.mark.parametrize("column", sorted({"dataset", "recipe", "network", "pretrained_on", "training_classes"}))
def test_a_column_that_is_not_there_is_named(study: str, column: str, tmp_path: Path):
    rows = [{name: value for name, value in line.items() if name != column} for line in ALL]
    message = fail("study", study, written(tmp_path / "rows.jsonl", rows))
    assert f"the column '{column}' of the row '100 0 seen 1 []' must be " in message
    assert "got nothing" in message


@pytest.mark.parametrize("study", ["adaptation", "classes", "sources", "gains"])
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "holds no lines"),
        (b'{"a": 1}\n', "has no rows for this study; it needs rows of networks"),
        (b"\xff\xfe\x80", "is not UTF-8 text, so it holds no rows"),
        (b"[" * 100_000, "line 1 of .* is not JSON"),
        (b'{"run_id": [1]}', "'run_id' of line 1 of .* must be text"),
    ],
)
def test_a_file_without_such_rows_is_an_error_of_one_sentence(study: str, content: bytes, text: str, tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    message = fail("study", study, str(path))
    assert re.search(text, message)


def test_a_rung_without_an_interval_is_omitted_and_named():
    rows = lines(*(row(size, seed) for size in (*SIZES, 1600) for seed in SEEDS))
    for line in rows:
        if line["unique_images"] == 1600:
            line["accuracy_low"] = None
    [few, *_] = ladders(trained(rows))
    assert few.dropped == ("1600 images: its accuracy has no interval",)


def test_rows_of_trainings_from_scratch_and_from_before_give_effective_data(tmp_path: Path):
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.plugins.registry import BACKBONES, DATASETS
    from fewshot.pretraining.cross_entropy import CrossEntropy
    from fewshot.pretraining.ladders import data_ladder
    from fewshot.results.files import Results
    from fewshot.runs.pipeline import run
    from fewshot.runs.specs import RunSpec, Sampled
    from fewshot.runs.workbench import Workbench
    from tests.support.trained_networks import DATA, NET

    recipe = CrossEntropy(epochs=3, batch_size=7, lr=0.05, stop="validation")
    before = Pretrained(NET, DATA, CrossEntropy(epochs=4, batch_size=12, lr=0.05))
    results, bench = Results(tmp_path / "rows.jsonl"), Workbench(progress=False)
    held_out = Sampled(EpisodeShape(3, 1, 2), sampler="Balanced('partition=test', 'partition=test')")
    for start in (NET, before):
        for rung in data_ladder(Pretrained(start, DATA, recipe), (14, 28, 56), (0,)):
            spec = RunSpec(DATASETS.canonical(DATA), BACKBONES.canonical(rung), "Prototype", held_out, n_episodes=3)
            estimate = run(spec, results, bench)
            assert estimate is not None
            assert estimate.started_on == ("nothing" if start is NET else "stripes: 84 images of 7 classes")
    columns = ("--x", "unique_images", "--y", "seen_loss", "--by", "n_params", "--pretrained", "started_on")
    [result] = json.loads(succeed("scaling", "transfer", str(results.path), *columns, "--json"))
    assert [point["D_F"] for point in result["points"]] == [14, 28, 56]
    assert result["source"] == "stripes: 84 images of 7 classes"


def test_sources_stand_against_targets_with_an_interval_over_seeds():
    sources = {"icons mono": 0.7, "glyphs": 0.6}
    targets = {"Icons(domain='mono')": 0.1, "Glyphs()": 0.2}
    rows = [
        row(1000, seed, pretrained_on=f"{source}: 1000 images", dataset=target, accuracy=a + b + 0.01 * seed)
        for seed in SEEDS for source, a in sources.items() for target, b in targets.items()
    ]  # fmt: skip
    [matrix] = source_matrices(trained_of(*rows, row(2000, 0), row(1000, 0, classes="seen")))
    assert (matrix.sources, matrix.targets) == (["icons mono", "glyphs"], ["icons mono", "glyphs"])
    there, back = matrix.cell("icons mono", "glyphs"), matrix.cell("glyphs", "icons mono")
    assert there is not None
    assert back is not None
    assert (there.mean, back.mean) == (pytest.approx(0.91), pytest.approx(0.71))
    half = 4.302653 * 0.01 / np.sqrt(3)  # t(2)
    assert (there.low, there.high) == (pytest.approx(0.91 - half), pytest.approx(0.91 + half))
    assert source_matrices(trained_of(row(1000, 0))) == []


def test_an_error_is_as_sure_as_the_images_that_it_is_counted_on():
    def upstream(**held_out: Any) -> Ladder:
        return ladders(trained_of(*(row(size, 0, **held_out) for size in SIZES)))[-1]

    error = 0.8 * (np.array(SIZES) / 100) ** -B_ALL
    few, many, older = upstream(n_held_out=500), upstream(n_held_out=50_000), upstream()
    assert few.variance == pytest.approx((1 - error) / (500 * error))
    assert many.variance == pytest.approx(few.variance / 100)
    assert older.variance == pytest.approx((1 - error) / (2570 * error))
    assert (few.remark, many.remark) == ("", "")
    assert older.remark == "Rows of an older release lack n_held_out; 10 held-out images per class are assumed."


def test_the_command_tells_what_it_assumed(tmp_path: Path):
    shown = succeed("study", "adaptation", written(tmp_path / "rows.jsonl", ALL))
    assert shown.count("10 held-out images per class are assumed") == 1


def test_a_rung_that_few_errors_decide_weighs_less():
    exact = [row(size, seed) for size in SIZES for seed in SEEDS]
    vague = row(800, 0).accuracy or 0.0
    blurred = [
        row(each.unique_images or 0, each.training_seed or 0, accuracy_low=vague - 0.2)
        if each.unique_images == 800
        else each
        for each in exact
    ]
    [ladder, _] = ladders(trained_of(*blurred))
    assert ladder.weights.mean() == pytest.approx(1)
    assert ladder.weights[-1] < 0.1 * ladder.weights[:-1].min()
    off = ladder.errors.copy()
    off[:, -1] /= 2  # where the last rung is wrong, the exponent hardly follows it
    assert exponent(replace(ladder, errors=off)).b == pytest.approx(0.2, abs=0.03)
    assert exponent(replace(ladder, errors=off, variance=np.ones(4))).b > 0.35


def test_the_page_shows_a_study():
    rows = [row(size, seed, *key) for size in SIZES for seed in SEEDS for key in B]
    text = page(Shown.of(rows), None, "study")
    assert "What more pre-training images gain" in text
    assert "0.30\u00a0[0.30,\u00a00.30]" in text
    assert "seen classes, same protocol" in text
    assert "What more pre-training images gain" not in page(
        Shown.of([replace(r, unique_images=None) for r in rows]), None, "x"
    )


def test_the_page_names_the_target_of_a_gain_and_its_classes():
    held_out = "Partitioned(images=Icons(domain='mono'), test=10, validation=2, seed=0)"
    rows = [row(n, seed, c, dataset=held_out) for n in SIZES for seed in SEEDS for c in ("seen", "novel")]
    gains = (
        page(Shown.of(rows), None, "x")
        .partition("What larger networks and more data gain")[2]
        .partition("</section>")[0]
    )
    assert "<td>icons mono, seen classes</td>" in gains
    assert "<td>icons mono</td>" in gains


def test_the_page_shows_effective_data():
    def run(size: int, seed: int, n_params: int, started_on: str) -> Row:
        loss = 4.0 * ((size + 300 * bool(started_on)) / 100) ** -0.3
        return row(
            size, seed, n_params=n_params, started_on=started_on, seen_loss=loss, network=f"{n_params} {started_on}"
        )

    rows = [run(*each) for each in product((100, 200, 400, 800), SEEDS, (1000, 2000, 4000), ("", "glyphs"))]
    text = page(Shown.of(rows), None, "transfer")
    assert "Effective data transferred" in text
    assert "≥ 800" in text
    assert "D_T = k D_F^alpha N^beta" in text
