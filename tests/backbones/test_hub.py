"""A hub that does not answer is one sentence within seconds; what is in its cache is loaded without it."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import timm
from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError
from safetensors.torch import save_file

from fewshot.backbones import _hub, weights_digest
from fewshot.backbones import timm as timm_module
from fewshot.backbones._hub import only_cached, unreachable
from fewshot.backbones.timm import Timm


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of an earlier test, and no wish of the environment."""
    _hub._answer.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of a server whose every answer is 404."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_hub_that_answers_is_reached_whatever_it_answers(answering: str) -> None:
    assert unreachable(answering) == ""


def test_a_hub_that_refuses_or_keeps_silent_is_told_in_time(silent: str, refusing: str) -> None:
    start = time.monotonic()
    assert f"{refusing} cannot be reached: " in unreachable(refusing)
    assert silent in unreachable(silent)
    assert time.monotonic() - start < 2 * _hub.SECONDS


def test_a_slow_look_up_of_the_name_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hub, "SECONDS", 0.2)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: time.sleep(1) or BytesIO())
    assert unreachable("https://slow.example") == "https://slow.example did not answer within 0.2 seconds"


@pytest.mark.parametrize("name", ["resnet10t", "hf-hub:timm/resnet10t.c3_in1k", "hf-hub:Owner/Model", "gcvit_xxtiny"])
def test_weights_of_an_unreachable_hub_are_one_sentence_within_seconds(
    name: str, silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_hub, "urlsplit", lambda _: urlsplit(silent))
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(timm_module, "try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("nothing is built for weights out of reach"))
    start = time.monotonic()
    with pytest.raises(ValueError, match="not in the local cache and the hub could not be reached") as caught:
        Timm(name).load()
    assert time.monotonic() - start < 2 * _hub.SECONDS
    assert silent in str(caught.value)
    assert ("Checkpoint(name='<timm name>'" in str(caught.value)) == name.startswith("hf-hub")


def test_cached_weights_are_loaded_while_the_hub_is_out_of_reach(
    refusing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The cache of the hub as it lies on the disk, and nothing but it."""
    network = timm.create_model("test_resnet")
    repository = tmp_path / "models--timm--test_resnet.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    (repository / "snapshots" / ("a" * 40)).mkdir(parents=True)
    save_file(network.state_dict(), repository / "snapshots" / ("a" * 40) / "model.safetensors")
    monkeypatch.setattr(constants, "ENDPOINT", refusing)
    for module in ("constants", "file_download"):
        monkeypatch.setattr(f"huggingface_hub.{module}.HF_HUB_CACHE", str(tmp_path), raising=False)
    start = time.monotonic()
    backbone = Timm("test_resnet").load()
    assert time.monotonic() - start < 10
    network.reset_classifier(0)  # type: ignore[operator]
    assert backbone.weights_digest == weights_digest(network.state_dict())
    assert constants.HF_HUB_OFFLINE is False


def test_a_repository_that_the_hub_does_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise RepositoryNotFoundError.__new__(RepositoryNotFoundError)

    monkeypatch.setattr(timm_module, "unreachable", lambda _: "")
    monkeypatch.setattr("timm.models._hub.hf_hub_download", absent)
    with pytest.raises(
        ValueError, match=r"the hub has none by this name, or you have no access \(RepositoryNotFoundError\)"
    ):
        Timm("hf-hub:Owner/Model").load()


def test_the_wish_to_stay_offline_is_kept_and_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with only_cached():
        assert unreachable() == "HF_HUB_OFFLINE is set"
    assert _hub._answer.cache_info().misses == 0


def test_the_retries_of_a_download_are_one_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def build(*_: object, **__: object) -> None:
        for retry in range(6):
            logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry %d/5].", retry)
        raise OSError("cannot connect")

    monkeypatch.setattr(timm_module, "unreachable", lambda _: "")
    monkeypatch.setattr(timm_module, "build", build)
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    with pytest.raises(ValueError, match="the weights of timm's 'resnet10t' are not available"):
        Timm("resnet10t").load()
    assert not caplog.records
