"""OpenCLIP: two towers with open_clip's own numbers, the preprocessing and activation of the weights, plain errors."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fewshot.backbones import _hub_files
from fewshot.backbones.open_clip import OpenCLIP
from fewshot.conformance.backbones import LAWS, Networks
from fewshot.plugins.registry import BACKBONES
from tests.support.tiny_clip import MODEL, PREPROCESS, SIZE, open_clip, tiny_model, write_tiny_clip

transform = pytest.importorskip("open_clip.transform")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_tiny_clip(tmp_path / "clip")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hub_files, "unreachable", lambda: "no network here")
    monkeypatch.setattr(_hub_files, "cached", lambda *_: None)


def picture(width: int = 61, height: int = 48, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_both_towers_obey_the_laws_of_backbones(law, weights):
    source = OpenCLIP("tiny", str(weights))
    assert law(source, Networks.of(source)) is None


def test_features_are_the_projected_ones_of_open_clip(weights):
    backbone, model = OpenCLIP("tiny", str(weights)).load(), tiny_model()
    images = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(backbone.embed(images), model.encode_image(images))
    assert backbone.dim == MODEL["embed_dim"]
    assert backbone.n_params == sum(p.numel() for p in model.visual.parameters())


@pytest.mark.parametrize("resize", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_preprocessing_is_that_of_the_weights(resize, interpolation, tmp_path):
    config = {**PREPROCESS, "resize_mode": resize, "interpolation": interpolation}
    backbone = OpenCLIP("tiny", str(write_tiny_clip(tmp_path, preprocess=config))).load()
    theirs = transform.image_transform_v2(transform.PreprocessCfg(size=SIZE, **config), is_train=False)
    for size in ((61, 48), (32, 32), (20, 90), (9, 7)):
        assert torch.allclose(backbone.preprocess(picture(*size)), theirs(picture(*size)), atol=1e-6)


def test_a_way_to_resize_that_is_not_known_is_refused(tmp_path):
    path = write_tiny_clip(tmp_path, preprocess={**PREPROCESS, "resize_mode": "longest"})
    with pytest.raises(ValueError, match="no preprocessing that resizes by 'longest'; known: shortest, squash"):
        OpenCLIP("tiny", str(path)).load()


def test_quick_gelu_comes_from_the_config_of_the_weights(tmp_path):
    images = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    found = {}
    for quick in (False, True):
        backbone = OpenCLIP("tiny", str(write_tiny_clip(tmp_path / str(quick), quick_gelu=quick))).load()
        with torch.no_grad():
            assert torch.equal(backbone.embed(images), tiny_model(quick_gelu=quick).encode_image(images))
        found[quick] = backbone
    assert found[False].weights_digest != found[True].weights_digest  # so no features of one serve the other
    assert found[False].words.digest != found[True].words.digest


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    """The tiny model in open_clip's lists, with a tag of weights that were trained with quick GELU and one without."""
    names = {"tiny-clip": MODEL, "tiny-clip-quickgelu": {**MODEL, "quick_gelu": True}}
    entry = {"hf_hub": "nobody/tiny/", "url": "", **PREPROCESS}
    quick = {**entry, "quick_gelu": True}
    tags = {"tiny-clip": {"openai": quick, "laion2b_s34b_b88k": entry}, "tiny-clip-quickgelu": {"openai": quick}}
    for name, config in names.items():
        monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, name, config)
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED, name, tags[name])
    monkeypatch.setattr(_hub_files, "cached", lambda repository, files: weights)


def test_weights_that_need_quick_gelu_get_it_with_a_warning(listed, caplog):
    with caplog.at_level(logging.WARNING, "fewshot"):
        corrected = OpenCLIP("tiny-clip", "openai").load()
    assert "'tiny-clip' has GELU, but the weights 'openai' were trained with quick GELU; fewshot uses" in caplog.text
    caplog.clear()
    named, plain = OpenCLIP("tiny-clip-quickgelu", "openai").load(), OpenCLIP("tiny-clip", "laion2b_s34b_b88k").load()
    assert not caplog.records
    images = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(corrected.embed(images), named.embed(images))
    assert not torch.equal(corrected.embed(images), plain.embed(images))
    assert (corrected.pretrained_on, plain.pretrained_on) == ("OpenAI WIT-400M", "LAION-2B")


def test_weights_without_quick_gelu_are_refused_under_a_name_that_has_it(listed):
    with pytest.raises(ValueError, match="no weights 'laion2b_s34b_b88k' of 'tiny-clip-quickgelu'; its tags are"):
        OpenCLIP("tiny-clip-quickgelu", "laion2b_s34b_b88k").load()


def test_random_weights_are_the_same_in_every_load_and_trained_on_nothing(listed):
    one, other = (OpenCLIP("tiny-clip", None).load() for _ in range(2))
    assert one.weights_digest == other.weights_digest
    assert one.pretrained_on == "nothing"
    assert one.name == "tiny-clip random init"


def test_another_image_size_resizes_the_position_embeddings(weights):
    backbone = OpenCLIP("tiny", str(weights), image_size=48).load()
    assert backbone.preprocess(picture()).shape == (3, 48, 48)
    assert backbone.embed(torch.zeros(1, 3, 48, 48)).shape == (1, 16)


def test_every_tag_of_open_clip_names_its_training_data(listed):
    del listed
    for model, tag in open_clip.list_pretrained():
        assert OpenCLIP(model, tag, templates=None).trained_on() not in ("unknown", tag), (model, tag)


def test_a_file_says_what_it_was_trained_on_if_its_user_does(weights):
    assert OpenCLIP("tiny", str(weights)).load().pretrained_on == "unknown"
    assert OpenCLIP("tiny", str(weights), pretrained_on="ImageNet-1k").load().pretrained_on == "ImageNet-1k"


@pytest.mark.parametrize("name", ["state_dict", "model"])
def test_a_training_checkpoint_of_tensors_is_read(name, tmp_path, weights):
    torch.save(
        {"epoch": 3, name: {f"module.{n}": v for n, v in tiny_model().state_dict().items()}}, tmp_path / "clip/e.pt"
    )
    images = torch.zeros(1, 3, SIZE, SIZE)
    loaded = OpenCLIP("tiny", str(tmp_path / "clip/e.pt")).load()
    assert torch.equal(loaded.embed(images), OpenCLIP("tiny", str(weights)).load().embed(images))


def test_a_file_that_holds_code_is_refused(tmp_path, weights):
    torch.save({"model": print}, tmp_path / "clip/e.pt")
    with pytest.raises(ValueError, match=r"holds more than tensors .* not loaded"):
        OpenCLIP("tiny", str(tmp_path / "clip/e.pt")).load()


def test_offline_is_one_sentence(offline):
    with pytest.raises(ValueError, match=r"open_clip's ViT-B-16 openai are not available: .*no network here\)"):
        OpenCLIP("ViT-B-16", "openai").load()
    with pytest.raises(ValueError, match="open_clip's hf-hub:nobody/tiny are not available"):
        OpenCLIP("hf-hub:nobody/tiny", None).load()
    assert OpenCLIP("ViT-B-16", "openai").to_download() == "the weights 'openai' of open_clip's 'ViT-B-16'"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (
            lambda: OpenCLIP("ViT-B-61", "openai"),
            "open_clip .* has no model 'ViT-B-61'; the nearest names are: ViT-B-16",
        ),
        (lambda: OpenCLIP("ViT-B-16", "opnai"), "no weights 'opnai' of 'ViT-B-16'; its tags are: openai, "),
        (lambda: OpenCLIP("ViT-B-16", "no/such.pt"), "there is no file no/such.pt of weights"),
        (lambda: OpenCLIP("local-dir:clip", None), "'local-dir:clip' is a folder; write OpenCLIP"),
        (
            lambda: OpenCLIP("hf-hub:a/b", "openai"),
            "'hf-hub:a/b' has one file of weights; leave out pretrained='openai'",
        ),
        (lambda: OpenCLIP("ViT-B-16", "openai", templates="a photo"), "the template 'a photo' has no {} for the"),
        (
            lambda: OpenCLIP("ViT-B-16", "openai", templates="a {} {x"),
            "'a {} {x' .* must have one {} for",
        ),
        (lambda: OpenCLIP("ViT-B-16", "openai", templates=("a {}.", "{} {c}")), "'{} {c}' .* must have one {}"),
        (lambda: OpenCLIP("ViT-B-16", "openai", templates="a {}}"), "must have one {} for the class name and no other"),
        (
            lambda: OpenCLIP("ViT-B-16", "openai", templates=("{}", "x")),
            "the template 'x' has no {} for the class name",
        ),
        (
            lambda: OpenCLIP("ViT-B-16", "openai", templates="no.txt"),
            "the templates no.txt cannot be read .No such file",
        ),
        (
            lambda: OpenCLIP("ViT-B-16", "openai", templates=()),
            "The 'templates' parameter of OpenCLIP must be a template",
        ),
        (lambda: OpenCLIP("ViT-B-16", "openai", 0), "The 'image_size' parameter of OpenCLIP must be an"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_is_downloaded(source, error, offline):
    with pytest.raises(ValueError, match=error) as raised:
        source().check()
    assert "\n" not in str(raised.value)


def test_a_config_of_another_model_than_the_named_one_is_refused(weights):
    with pytest.raises(ValueError, match=r"open_clip_config\.json is not that of open_clip's 'ViT-B-16'"):
        OpenCLIP("ViT-B-16", str(weights)).load()


def test_a_file_of_another_model_is_refused(weights):
    weights.with_name("open_clip_config.json").unlink()
    with pytest.raises(ValueError, match=r"does not fit ViT-B-16 .*; give the model that the weights belong to"):
        OpenCLIP("ViT-B-16", str(weights)).load()


def test_a_tokenizer_of_hugging_face_needs_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr("fewshot.backbones.open_clip.importlib.util.find_spec", lambda name: None)
    text = {**MODEL["text_cfg"], "hf_tokenizer_name": "nobody/tokenizer"}
    path = write_tiny_clip(tmp_path, text_cfg=text)
    with pytest.raises(
        ValueError, match=r"needs the package transformers, .*, or set templates=None to use the images"
    ):
        OpenCLIP("tiny", str(path)).check()
    OpenCLIP("tiny", str(path), templates=None).check()


def test_the_identity_follows_the_content_of_weights_config_and_templates(weights, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("a photo of a {}.\n")
    spec = BACKBONES.spec(OpenCLIP("tiny", str(weights), templates=str(lines)))
    first = spec.identity
    assert str(tmp_path) not in first
    assert set(spec.paths) == {weights, lines}
    lines.write_text("a drawing of a {c}.\n")
    second = spec.identity
    config = weights.with_name("open_clip_config.json")
    config.write_text(json.dumps({**json.loads(config.read_text()), "preprocess_cfg": {}}))
    third = spec.identity
    write_tiny_clip(weights.parent, seed=1, preprocess={})
    assert len({first, second, third, spec.identity}) == 4


def test_specs_name_the_model_and_its_weights(weights):
    assert BACKBONES.spec("OpenCLIP('ViT-B-16', 'openai')").short_name == "ViT-B-16 openai"
    assert BACKBONES.spec(f"OpenCLIP('tiny', {str(weights)!r}, image_size=48)").short_name == (
        "tiny open_clip_model.safetensors @48"
    )


@pytest.mark.parametrize(
    ("way", "value", "found"),
    [
        (("model_cfg", "text_cfg"), None, "its text_cfg must be an object, found None"),
        (("model_cfg", "vision_cfg"), [], r"its vision_cfg must be an object, found \[\]"),
        (("model_cfg", "text_cfg", "layers"), 10**400, "its text_cfg may have at most 1000 layers, found 1000"),
        (("model_cfg", "vision_cfg", "layers"), [1, 10**9], "its vision_cfg may have at most 1000 layers, found 1000"),
        (("model_cfg", "multimodal_cfg"), 3, "its multimodal_cfg must be an object, found 3"),
        (
            ("model_cfg", "text_cfg", "tokenizer_kwargs"),
            ["a"],
            r"its tokenizer_kwargs must be an object, found \['a'\]",
        ),
        (("model_cfg", "text_cfg", "hf_tokenizer_name"), 10**18, "its hf_tokenizer_name must be text, found 1000000"),
        (("preprocess_cfg",), [1], r"its preprocess_cfg must be an object, found \[1\]"),
        (("preprocess_cfg", "mean"), 0.5, "the 'mean' of preprocess_cfg must be 3 numbers, .*; got 0.5"),
        (("preprocess_cfg", "std"), [1, 1, 10**400], "the 'std' of preprocess_cfg must be 3 positive numbers, "),
        (("preprocess_cfg", "interpolation"), "random", "the 'interpolation' of preprocess_cfg must be one of nearest"),
        (("model_cfg",), {"embed_dim": 16}, "it needs a model_cfg with embed_dim, vision_cfg and text_cfg"),
    ],
)
def test_a_part_of_the_config_of_another_kind_is_one_sentence(way, value, found, weights):
    file = weights.with_name("open_clip_config.json")
    config = json.loads(file.read_text())
    inside = config
    for step in way[:-1]:
        inside = inside[step]
    inside[way[-1]] = value
    file.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=rf"^the config .* cannot be read \({found}.*; repair it, or move it away$"):
        OpenCLIP("tiny", str(weights)).check()


@pytest.mark.parametrize(("part", "value"), [("patch_size", 0), ("width", "a"), ("layers", None)])
def test_a_number_that_open_clip_cannot_build_is_one_sentence(part, value, weights):
    file = weights.with_name("open_clip_config.json")
    config = json.loads(file.read_text())
    config["model_cfg"]["vision_cfg"][part] = value
    file.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"^open_clip cannot build tiny"):
        OpenCLIP("tiny", str(weights)).load()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("OpenCLIP('ViT-S-32-alt', None)", "ViT-S-32-alt random init"),
        ("OpenCLIP('ViT-S-32-alt', None, image_size=64)", "ViT-S-32-alt random init @64"),
        ("OpenCLIP('ViT-B-16', 'openai')", "ViT-B-16 openai"),
        ("OpenCLIP('hf-hub:owner/name', None)", "hf-hub:owner/name"),
    ],
)
def test_random_weights_are_shown_as_such(text, name):
    assert BACKBONES.spec(text).short_name == name
