"""Short names are short, true and all different, and nothing that a spec says is run."""

from __future__ import annotations

import sys

import pytest

from fewshot.plugins.registry import BACKBONES, EVALUATORS, SAMPLERS, TRANSFORMS
from fewshot.plugins.short_name import short_names
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.tuned import Tuned
from fewshot.report.rows.contenders import learner

KNOWN = {
    "Packaged(name='tf_efficientnet_lite0', image_size=128)": "tf_efficientnet_lite0 @128",
    "Packaged(name='mobilenetv2_100', image_size=None)": "mobilenetv2_100",
    "Packaged(name='mobilenetv2_100')": "mobilenetv2_100",
    "RawPixels(image_size=32)": "raw pixels 32",
    "RawPixels()": "raw pixels 32",
    "RandomInit(name='mobilenetv2_100', seed=0, image_size=None, pool=None)": "mobilenetv2_100 random init",
    "Checkpoint(name='resnet18', path='/home/me/best.pth', image_size=84, pool=None)": "resnet18 from best.pth @84",
    "Function(target='mine.nets:small', image_size=None)": "mine.nets:small",
    "Icons(domain='mono')": "icons mono",
    "Glyphs()": "glyphs",
    "TorchvisionSet(name='FashionMNIST', root=None, download=False)": "FashionMNIST",
    "ImageFolderSet(root='/home/me/flowers')": "flowers",
    "Balanced(support_from=None, query_from=None)": "balanced",
    "DirichletQuery(alpha=2.0, support_reserve=20, support_from=None, query_from=None)": "Dirichlet(2) queries",
    "Hierarchical(group='script', within=True)": "classes of one script",
    "Hierarchical(group='script', within=False)": "each class of another script",
    "Imbalanced(alpha=2.0, shares=None)": "Dirichlet(2) supports",
    "Imbalanced(shares=(1.0, 2.0, 4))": "1 : 2 : 4 supports",
    "VariableWayShot()": "variable ways and shots",
    "VariableWayShot(group='script')": "variable ways and shots inside one script",
    "VariableWayShot(group=None, tree='/home/me/wordnet.csv')": "variable ways and shots by the tree wordnet",
    "SimilarityTestbed(similarity='/home/me/alike.csv', difficulty='hard', support_from=None, query_from=None)": (
        "hard tasks by alike"
    ),
    "PseudoLabels(images=Icons(domain='mono'), backbone='pixels', clusters=9)": "9 clusters of icons mono by pixels",
    "DisjointPools(pools=7, support_from=None, query_from=None)": "7 disjoint pools of images",
    "DirichletQuery(alpha=0.5, support_from='domain=mono', query_from='domain=colour')": (
        "Dirichlet(0.5) queries, support from mono, queries from colour"
    ),
    "Balanced(support_from='domain=mono', query_from='domain=colour')": "support from mono, queries from colour",
    "Balanced(support_from='partition=test', query_from='partition=test')": "test images",
    "Prototype(metric='euclidean')": "Prototype",
    "LinearProbe(C=0.1, max_iter=100)": "LinearProbe(C=0.1)",
    "AugmentedSupport(inner=LinearProbe(C=100.0, max_iter=100), views=5, augment='crop+flip', seed=0)": (
        "LinearProbe on 5 views (crop+flip)"
    ),
    "L2()": "L2",
    "Listed('runs/mine.safetensors')": "listed in mine.safetensors",
}


def label(text: str) -> str:
    """The short name of the spec of a row; any kind reads the members of every kind."""
    return SAMPLERS.read(text).short_name


def labels(texts: list[str]) -> dict[str, str]:
    """The short names of several specs."""
    names = short_names(map(SAMPLERS.read, texts))
    return {text: names[SAMPLERS.read(text)] for text in texts}


@pytest.mark.parametrize(("spec", "text"), KNOWN.items())
def test_a_known_spec_has_a_short_name(spec, text):
    assert label(spec) == text


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "plain words",
        "Packaged(",
        "(",
        "Packaged(**{})",
        "Packaged(1, 2)",
        "x" * 20_000,
        "[x](y)",
        "Unknown(a=" + "(" * 5000,
        "A(" + "-" * 9000 + "1)",
        "Packaged(name='a')('b')",
    ],
)
def test_any_text_has_a_name_of_one_short_line(spec):
    assert len(label(spec)) <= 64
    assert "\n" not in label(spec)


def test_an_unknown_spec_keeps_its_fields():
    assert label("Other(a=1, b='x')") == "Other(a=1, b='x')"
    assert label("package.module:Net(width=2)") == "package.module:Net(width=2)"


def test_a_dotted_name_is_not_imported():
    label("antigravity:Net(width=2)")
    assert "antigravity" not in sys.modules


def test_nothing_is_evaluated(tmp_path):
    spec = f"RawPixels(image_size=open({str(tmp_path / 'made')!r}, 'w'))"
    label(spec)
    BACKBONES.read(spec)
    assert not (tmp_path / "made").exists()


def test_control_characters_do_not_reach_a_label():
    assert label("a\x00b\u202ec\ud800\nd") == "a�b�c� d"


def test_equal_labels_are_told_apart_by_what_differs():
    specs = [f"RandomInit(name='n', seed={seed}, image_size=None, pool=None)" for seed in (0, 1)]
    assert list(labels(specs).values()) == ["n random init (seed=0)", "n random init (seed=1)"]


def test_sources_of_one_name_are_told_apart():
    named = labels(["Packaged(name='n', image_size=None)", "Timm(name='n', image_size=None, pool=None)"])
    assert list(named.values()) == ["n (Packaged)", "n (Timm)"]


def test_labels_of_different_specs_differ():
    specs = [*KNOWN, "long(" + "a" * 80 + "b)", "long(" + "a" * 80 + "c)", *(f"x{'y' * n}" for n in range(80))]
    specs = [spec for spec in specs if spec not in ("RawPixels()", "Packaged(name='mobilenetv2_100')")]
    assert len(set(labels(specs).values())) == len(specs)


def test_a_transform_stands_before_its_evaluator():
    l2, identity, nothing = map(TRANSFORMS.read, ("L2()", "Identity()", ""))
    prototype, tuned = EVALUATORS.spec("Prototype"), EVALUATORS.read("FineTune()")
    assert learner(l2, prototype) == "L2 + Prototype"
    assert learner(l2, prototype, {l2: "unit length"}) == "unit length + Prototype"
    assert learner(identity, tuned) == learner(nothing, tuned) == tuned.short_name


def test_a_network_that_was_trained_here_is_named_by_what_it_saw():
    short = "Pretrained(ConvNet(8), Partitioned(Icons), CrossEntropy(epochs=7), n_images=400, seed=1)"
    spec = BACKBONES.canonical(short)
    assert label(spec) == "conv net 8 x 4, CrossEntropy 7 epochs, 400 images, seed 1"
    by_steps = BACKBONES.canonical("Pretrained(RandomInit('resnet10t'), Glyphs, CrossEntropy(steps=9))")
    assert label(by_steps) == "resnet10t random init, CrossEntropy 9 steps, all images, seed 0"
    assert label("Partitioned(images=Glyphs(), test=3)") == "glyphs"


def test_a_tuned_training_reads_like_one_that_is_not():
    recipe = repr(Tuned(CrossEntropy(epochs=20.0)))
    spec = f"Pretrained(network=ConvNet(width=8), data=Icons(domain='mono'), recipe={recipe}, n_images=400, seed=2)"
    assert label(spec) == "conv net 8 x 4, CrossEntropy 20 epochs tuned, 400 images, seed 2"


def test_a_narrowed_split_is_said_in_words():
    spec = "Narrowed(inner=Committed(name='icons_mono'), n_seen=32, seed=1)"
    assert label(spec) == "icons_mono narrowed to 32 seen classes, seed 1"
