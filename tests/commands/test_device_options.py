"""The options of devices: refused in one sentence, and passed on to worker processes."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from fewshot.commands import _device_options
from fewshot.features.settings import EmbeddingSettings
from fewshot.runs.workbench import Workbench


@click.command()
@_device_options.embedding_batch_option
@_device_options.compile_option
@_device_options.decoders_option
@_device_options.heads_device_option
def printed(embedding_batch: int | None, compiled: bool, decoders: int | None, heads_device: str | None) -> None:
    click.echo((_device_options.embedding_settings(embedding_batch, compiled, decoders), heads_device))


BENCHES = [
    Workbench(),
    Workbench(embedding=EmbeddingSettings(None, True, 3), heads_device="cuda:1"),
    Workbench(embedding=EmbeddingSettings(256, False, 0)),
]


@pytest.mark.parametrize("bench", BENCHES)
def test_another_process_gets_the_same_settings(bench: Workbench) -> None:
    result = CliRunner().invoke(printed, _device_options.device_arguments(bench))
    assert result.output == f"{(bench.embedding, bench.heads_device)}\n"


@pytest.mark.parametrize(
    ("batch", "reason"),
    [("100", "an embedding batch has 64 images, or a multiple of 64 up to 1024"), ("many", "a number or 'auto'")],
)
def test_a_batch_that_is_none_is_refused(batch: str, reason: str) -> None:
    result = CliRunner().invoke(printed, ["--embedding-batch", batch])
    assert result.exit_code == 2
    assert reason in result.output
