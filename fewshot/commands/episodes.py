"""`fewshot episodes`: files with lists of episodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option
from fewshot.commands._data_request import DataRequest
from fewshot.commands._episode_request import EpisodeRequest
from fewshot.commands._groups import SuggestingGroup
from fewshot.commands._names import NameOf
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.episodes import Episodes
    from fewshot.episodes.lists import EpisodeList

data_option = click.option(
    "--data",
    required=True,
    type=NameOf("datasets", with_files=True),
    metavar="FOLDER|SPEC",
    help="Name the data set of the episodes.",
)
file_argument = click.argument("file", type=_options.FILE)
protocol_option = click.option(
    "--protocol", metavar="NAME@VERSION", default="", help="Name the list, such as mini_test@1."
)


@click.group("episodes", cls=SuggestingGroup)
def command() -> None:
    """Make, show, check, plot, export or import a list of episodes."""


@command.command("make")
@_options.takes(data=DataRequest, request=EpisodeRequest)
@click.option("--episodes", "n_episodes", type=click.IntRange(min=1), default=600, help="Set the number of episodes.")
@protocol_option
@click.option("--out", required=True, type=_options.FILE, help="Write this file, such as episodes.safetensors.")
@_options.dry_run_option
@json_option
def make(data: DataRequest, request: EpisodeRequest, n_episodes: int, protocol: str, out: Path, dry_run: bool) -> None:
    """Sample episodes and write them to a file, for `fewshot run --list FILE` or for other programs."""
    from fewshot.runs.workbench import Workbench

    opened = data.open(Workbench())
    request = request.on(opened)
    if len(request.shot) > 1:
        raise click.UsageError("a list holds episodes of one shot; give --shot once")
    episodes = request.sample(opened, request.shapes(opened)[0], n_episodes)
    if unusual := request.unusual(opened):
        click.echo(unusual, err=True)
    listed = request.listed(opened, episodes, protocol)
    if not dry_run:
        listed.save(out)
    values = {"file": out, "written": not dry_run} | _about(listed)
    answer(_summary(out, listed) + (NOT_WRITTEN if dry_run else ""), values)


@command.command("show")
@file_argument
@json_option
def show(file: Path) -> None:
    """Print the description of a list, its number of episodes, and the first ten."""
    from fewshot.episodes.lists import EpisodeList

    listed = EpisodeList.load(file)
    answer(str(listed), {"file": file} | _about(listed) | {"episodes": _sizes(listed.episodes)})


@command.command("check")
@file_argument
@data_option
@json_option
def check(file: Path, data: str) -> None:
    """Check that a file holds well-formed episodes of a data set."""
    from fewshot.episodes.lists import EpisodeList

    images, episodes = _images(data), EpisodeList.load(file)
    episodes.check(images)
    values = {"file": file, "n_episodes": len(episodes), "dataset": images.name}
    answer(f"{file}: {counted(len(episodes), 'well-formed episode')} of {images.name}", values)


@command.command("plot")
@file_argument
@data_option
@click.option("--episode", type=click.IntRange(min=0), default=0, help="Plot this episode, counted from 0.")
@click.option("--out", type=_options.FILE, default="episode.png", help="Write this PNG file.")
@_options.dry_run_option
@json_option
def plot(file: Path, data: str, episode: int, out: Path, dry_run: bool) -> None:
    """Plot the images of one episode to a PNG file."""
    from fewshot.episodes.episodes import Episodes
    from fewshot.files.atomic import write_atomically
    from fewshot.report.pictures.episode import plot_episode

    png = plot_episode(_images(data), Episodes.load(file), episode)
    if not dry_run:
        write_atomically(out, png)
    values = {"picture": out, "written": not dry_run, "file": file, "episode": episode}
    answer(f"{out}: episode {episode} of {file}{NOT_WRITTEN if dry_run else ''}", values)


@command.command("export")
@file_argument
@data_option
@click.option("--out", required=True, type=_options.FILE, help="Write this CSV file.")
@_options.dry_run_option
@json_option
def export(file: Path, data: str, out: Path, dry_run: bool) -> None:
    """Write a list as CSV for other programs, with the columns task, class, image and set."""
    from fewshot.episodes.lists import EpisodeList
    from fewshot.episodes.tables import to_csv
    from fewshot.files.atomic import write_atomically

    images, listed = _images(data), EpisodeList.load(file)
    text = to_csv(listed, images)
    if not dry_run:
        write_atomically(out, text.encode())
    by = "row" if images.image_names is None else "path"
    values = {"file": out, "written": not dry_run, "n_lines": text.count("\n"), "images_by": by}
    summary = f"{out}: {counted(len(listed), 'episode')}, images named by {by}"
    answer(summary + (NOT_WRITTEN if dry_run else ""), values | {"n_episodes": len(listed)})


@command.command("import")
@file_argument
@data_option
@protocol_option
@click.option("--out", required=True, type=_options.FILE, help="Write this file, such as episodes.safetensors.")
@_options.dry_run_option
@json_option
def import_(file: Path, data: str, protocol: str, out: Path, dry_run: bool) -> None:
    """Read a list from a CSV file with the columns task, class, image and set."""
    from fewshot.episodes.tables import from_csv

    listed = from_csv(file, _images(data), protocol)
    if not dry_run:
        listed.save(out)
    values = {"file": out, "written": not dry_run} | _about(listed)
    answer(_summary(out, listed) + (NOT_WRITTEN if dry_run else ""), values)


def _summary(out: Path, listed: EpisodeList) -> str:
    return f"{out}: {counted(len(listed), 'episode')}, digest {listed.episodes.digest[:16]}"


def _about(listed: EpisodeList) -> dict[str, Any]:
    """The description of a list, without its episodes."""
    return {
        "n_episodes": len(listed),
        "digest": listed.episodes.digest,
        "protocol": listed.protocol,
        "dataset": listed.dataset,
        "images_digest": listed.episodes.images_digest,
        "sampler": listed.sampler,
        "seed": listed.episodes.seed,
        "n_pools": None if listed.pools is None else len(set(listed.pools.tolist())),
        "class_names": list(listed.class_names.values()),
    }


def _sizes(episodes: Episodes) -> list[dict[str, int]]:
    """The index, ways, support size and query size of every episode."""
    singles = (episodes[e : e + 1] for e in range(len(episodes)))
    return [
        {"index": int(index), "n_way": int(n_way), "n_support": len(one.support), "n_query": len(one.query)}
        for index, n_way, one in zip(episodes.index, episodes.n_way, singles, strict=True)
    ]


def _images(data: str) -> LabelledImages:
    images: LabelledImages = _options.dataset_spec(data).make().load()
    return images
