"""The configuration of a CLIP model and the file of its weights, from open_clip's lists, the hub, or a local file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.backbones._hub_files import cached, fetched
from fewshot.backbones._weight_config import check_preprocessing
from fewshot.files.quoting import quoted
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.signature import is_path
from fewshot.plugins.suggestions import nearest
from fewshot.results.seen_classes.tags import NOT_KNOWN, NOTHING, open_clip_data

CONFIG = "open_clip_config.json"
HUB = "hf-hub:"
_CHECKED = ("mean", "std", "interpolation")  # of the preprocessing
_MOST_LAYERS = 1000  # of a tower, or of one stage of it; the deepest of open_clip has 56
_HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """Where a CLIP model comes from. `model` and `preprocess` are open_clip's configurations, `repository` and `files`
    the weights on the hub, the first that exists; a `path` is local. Without both, the weights are random."""

    model: Config
    preprocess: Config
    trained_on: str
    repository: str = ""
    files: tuple[str, ...] = ()
    path: Path | None = None
    note: str = ""  # how the configuration differs from that of the model's name

    def weights(self, name: str) -> Path | None:
        """The file of the weights, downloaded if it is not in the cache; None for random ones."""
        return fetched(self.repository, self.files, name) if self.repository else self.path

    def is_here(self) -> bool:
        """Whether nothing has to be downloaded."""
        return not self.repository or cached(self.repository, self.files) is not None


def package() -> Any:
    """The module open_clip; a ValueError with the command to install it."""
    try:
        import open_clip
    except ImportError as error:
        raise ValueError(
            "OpenCLIP needs the package open_clip_torch, which is not installed; run: pip install 'fewshot[clip]'"
        ) from error
    return open_clip


def source(model: str, pretrained: str | Path | None) -> Source:
    """The source of a model of open_clip with these weights: a tag, the path of a file, or None."""
    if model.startswith(HUB):
        return _of_hub(model)
    if pretrained is not None and is_path(pretrained):
        return _of_file(model, Path(pretrained))
    config = _built_in(model)
    if pretrained is None:
        return Source(config, {}, NOTHING)
    return _of_tag(model, config, str(pretrained))


def _of_tag(model: str, config: Config, tag: str) -> Source:
    entry = package().pretrained.get_pretrained_cfg(model, tag)
    if not entry:
        tags = package().list_pretrained_tags_by_model(model)
        raise ValueError(
            f"open_clip has no weights {tag!r} of {model!r}; its tags are: {', '.join(tags) or 'none'}; a file of "
            "weights is a path, such as './weights.safetensors'"
        )
    repository, _, file = str(entry.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise ValueError(f"open_clip has no {tag!r} of {model!r} on the hub; download {entry['url']} and give its path")
    safe = [f"{file.rpartition('.')[0]}.safetensors"] if file.endswith((".bin", ".pth")) else []
    files = (*safe, file) if file else _HUB_WEIGHTS
    config, note = _with_activation(model, config, tag, bool(entry.get("quick_gelu")))
    return Source(config, entry, open_clip_data(model, tag), repository, files, note=note)


def _with_activation(model: str, config: Config, tag: str, quick: bool) -> tuple[Config, str]:
    """The configuration, with quick GELU if the weights were trained with it, and a note if it was not there."""
    if not quick or config.get("quick_gelu"):
        return config, ""
    note = (
        f"open_clip's {model!r} has GELU, but the weights {tag!r} were trained with quick GELU; fewshot uses quick "
        f"GELU, as OpenCLIP('{model}-quickgelu', {tag!r}) does"
    )
    return {**config, "quick_gelu": True}, note


def _of_file(model: str, path: Path) -> Source:
    """The source of a local file: its configuration is beside it, or that of open_clip's model of this name."""
    beside = path.with_name(CONFIG)
    known = model in package().list_models()
    if not beside.is_file():
        return Source(_built_in(model), {}, NOT_KNOWN, path=path)
    try:
        content = _parsed(read_text(beside, "config"))
    except (OSError, ValueError) as error:
        raise ValueError(f"the config {beside} cannot be read ({error}); repair it, or move it away") from error
    if known and _plain(content["model_cfg"]) != _plain(_built_in(model)):
        raise ValueError(
            f"the config {beside} is not that of open_clip's {model!r}; give the model that the weights belong to, or "
            "a name of your own to use the config as it is"
        )
    return Source(content["model_cfg"], content.get("preprocess_cfg") or {}, NOT_KNOWN, path=path)


def _of_hub(model: str) -> Source:
    repository = model.removeprefix(HUB)
    path = fetched(repository, (CONFIG,), model)
    try:
        content = _parsed(read_text(path, "config"))
    except ValueError as error:
        raise ValueError(f"the repository {repository!r} has no configuration of open_clip: {error}") from error
    preprocess = content.get("preprocess_cfg") or {}
    return Source(content["model_cfg"], preprocess, NOT_KNOWN, repository, _HUB_WEIGHTS)


def _parsed(text: str) -> Mapping[str, Any]:
    """open_clip's config; a ValueError if it describes no model, or one of its parts is of another kind."""
    content = parsed_json(text)
    model = content.get("model_cfg") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= model.keys():
        raise ValueError("it needs a model_cfg with embed_dim, vision_cfg and text_cfg")
    for name in ("vision_cfg", "text_cfg", "multimodal_cfg"):
        _check_object(name, model.get(name, {}))
        _check_layers(name, model.get(name, {}).get("layers"))
    preprocess, text_cfg = content.get("preprocess_cfg") or {}, model["text_cfg"]
    _check_object("preprocess_cfg", preprocess)
    _check_object("tokenizer_kwargs", text_cfg.get("tokenizer_kwargs") or {})
    for name in ("hf_model_name", "hf_tokenizer_name"):
        if not isinstance(text_cfg.get(name) or "", str):
            raise ValueError(f"its {name} must be text, found {quoted(text_cfg[name])}")
    check_preprocessing({name: preprocess[name] for name in _CHECKED if preprocess.get(name)}, "preprocess_cfg")
    return dict(content)


def _check_object(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"its {name} must be an object, found {quoted(value)}")


def _check_layers(name: str, layers: Any) -> None:
    """A ValueError for more layers than any network has, which would be built until memory ends."""
    for count in layers if isinstance(layers, list) else [layers]:
        if isinstance(count, int) and count > _MOST_LAYERS:
            raise ValueError(f"its {name} may have at most {_MOST_LAYERS} layers, found {quoted(count)}")


def _plain(config: Config) -> Config:
    """A configuration without what does not change the network: activation flags that are off."""
    return {name: value for name, value in config.items() if not (name == "quick_gelu" and not value)}


def _built_in(model: str) -> Config:
    config: Config | None = package().get_model_config(model)
    if config is None:
        names = package().list_models()
        near = ", ".join(nearest(model, names, 3)) or ", ".join(names[:5])
        raise ValueError(
            f"open_clip {package().__version__} has no model {model!r}; the nearest names are: {near}; for a model of "
            f"the hub write '{HUB}owner/repository'"
        )
    return deepcopy(dict(config))
