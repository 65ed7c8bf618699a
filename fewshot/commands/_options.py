"""Options that several commands share, and how a command gets its options."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click

from fewshot.commands._names import NameOf
from fewshot.files.regular import check_local, check_name
from fewshot.plugins.devices import check_device

if TYPE_CHECKING:
    from fewshot.plugins.spec import Spec
    from fewshot.report.rows.images import RowImages

Count = int | str  # a number, or "all"
Command = Callable[..., int | None]  # the exit code; None is 0
Decorator = Callable[[Command], Command]
_MOST_DIGITS = 18


class FilePath(click.Path):
    """The path of a file, or of a folder with `dir_okay`, or of both; a URL and a name with a NUL character are a
    BadParameter."""

    def __init__(self, dir_okay: bool = False, file_okay: bool = True) -> None:
        super().__init__(dir_okay=dir_okay, file_okay=file_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        try:
            check_name(value)
            check_local(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


FILE = FilePath()
FOLDER = FilePath(dir_okay=True)
NEW_FOLDER = FilePath(dir_okay=True, file_okay=False)


def check_file(path: Path | None) -> None:
    """Raises a ValueError if the file is missing."""
    if path is not None and not path.is_file():
        raise ValueError(f"there is no file {path}")


def takes(**requests: type[Any]) -> Callable[[Command], Command]:
    """A decorator that gives a command one instance of each request, such as @takes(data=DataRequest).

    A request is a dataclass; the annotation of each field holds its option, as click's own decorator:

        seed: Annotated[int, click.option("--seed", type=int, default=0, help="Set the seed of the episodes.")]
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_requests(**values: Any) -> Any:
            given = {
                name: request(**{field.name: values.pop(field.name) for field in fields(request)})
                for name, request in requests.items()
            }
            return command(**given, **values)

        decorated: Command = with_requests
        for option in reversed([option for request in requests.values() for option in _options_of(request)]):
            decorated = option(decorated)
        return decorated

    return decorate


def _options_of(request: type[Any]) -> list[Callable[[Command], Command]]:
    """Click's decorators in the annotations of a request, in the order of its fields."""
    hints = get_type_hints(request, include_extras=True)
    return [hints[field.name].__metadata__[0] for field in fields(request)]


def count(text: str, least: int = 1) -> Count:
    """The number in an option, or "all"."""
    is_number = text.isascii() and text.isdigit()
    if is_number and len(text) > _MOST_DIGITS:
        raise click.BadParameter(f"a number of {len(text)} digits is too large: a data set has fewer than 2^31 images")
    if text.lower() != "all" and not (is_number and int(text) >= least):
        if is_number or (text[:1] == "-" and text[1:].isdigit()):
            raise click.BadParameter(f"{text[:40]} is too small; the least is {least}, or give 'all'")
        wanted = {0: "a number", 1: "a positive number"}.get(least, f"a number of at least {least}")
        raise click.BadParameter(f"{text[:40]!r} is neither {wanted} nor 'all'")
    return int(text) if is_number else "all"


def ways(text: str) -> Count:
    """The number of classes in --way, or "all"."""
    return count(text, 2)


class Device(click.ParamType[str]):
    """The name of a device that torch knows. This does not import torch, so finished runs start at once."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; an unknown one is a BadParameter."""
        try:
            return check_device(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def device_option(what: str) -> Decorator:
    """--device, with help that starts with `what`: "Run networks"."""
    return click.option(
        "--device",
        type=Device(),
        metavar="DEVICE",
        help=f"{what} on this device, such as cuda (default: a GPU if present).",
    )


class Number(click.FloatRange):
    """A number in a range; NaN is in none, although it is no smaller and no larger than any bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; what is not in the range is a BadParameter."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def counts(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[Count, ...]:
    """The numbers (or "all") in --shot, one per option or several with commas; each once. 0 is zero-shot."""
    return tuple(dict.fromkeys(count(text.strip(), 0) for several in given for text in several.split(",")))


def shard(text: str) -> tuple[int, int]:
    """The pair (i, n) in "i/n", with 1 <= i <= n."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    pair = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= pair[0] <= pair[1]:
        raise click.BadParameter(f"{text!r} is not a shard; write one such as 1/2, the first of two")
    return pair


dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would be computed and written, then stop.")


def _condition(context: click.Context, parameter: click.Parameter, given: str) -> str:
    """The text of a condition; a BadParameter if it is none."""
    from fewshot.results.conditions import conditions

    try:
        if given:
            conditions(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return given


def _where(**more: Any) -> Decorator:
    return click.option(
        "--where",
        metavar="CONDITION",
        callback=_condition,
        help="Use the runs whose columns meet this condition, such as 'k_shot == 5, backbone ~ lite0' (~: contains).",
        **more,
    )


where_option, needed_where_option = _where(default=""), _where(required=True)
prefer_option = click.option(
    "--prefer",
    type=click.Choice(["first", "last"]),
    help="Use the number of this file where two files disagree about a run (default: stop).",
)


def row_images_option(use: str) -> Decorator:
    """--data of commands that read rows: the only data that rows from another machine may be matched with."""
    return click.option(
        "--data",
        type=NameOf("datasets", with_files=True),
        multiple=True,
        metavar="FOLDER|FILE|SPEC",
        help=f"Take {use} from this data set, if a row was made with its images; repeat for several (default: the data "
        "of runs that were made on this machine).",
    )


def row_images(data: tuple[str, ...], allow_import: bool = False) -> RowImages:
    """The images of rows, from --data and from runs that were made on this machine."""
    from fewshot.report.rows.images import RowImages

    return RowImages(tuple(map(dataset_spec, data)), allow_import)


def dataset_spec(data: str) -> Spec:
    """The spec of --data: a folder of class folders, a CSV file, a file of vectors or images, a name or a spec."""
    from fewshot.datasets._shorthand import dataset_spec as spec_of

    return spec_of(data)
