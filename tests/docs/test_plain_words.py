"""Words that must not come back: what users read is plain English, with the subject first and one name per thing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import click
import pytest

from fewshot.cli import main
from fewshot.report import page
from fewshot.report.rows.reasons import in_words
from fewshot.report.rows.shown import Shown
from fewshot.results.files import Results
from tests.support.checkout import DOCS, ROOT

RESULTS = ROOT / "benchmarks" / "results"
SUITES = sorted(path.stem for path in RESULTS.glob("*.jsonl") if path.stem != "all_of_timm")  # that one holds no rows
THINGS = "runs|rows|episodes|classes|images|points|lines|seeds|pairs|shots|queries|folders|settings|tasks|learners"
# A pattern, and what to say instead.
PHRASES = {
    r"\b(is|are|was|were) told\b": "fewshot reports, says or prints",
    r"\btold apart\b": "differ, have different names",
    r"\b(speaks?|speaking) of\b": "is for, applies to",
    r"\bin percent\b": "in %",
    r"\b(quer(y|ies)|images?|shots?|labels?|pictures?|labelled images) an? class\b": "per class",
    r"\b(lines?|marks?|tables?|files?|columns?|rows?|pairs?) an? (run|task|shot|class|seed|pair)\b": "per",
    r"\bis done again\b|\bwhat is done\b": "finished runs are skipped",
    r"\bsettles? nothing\b|\b(is|not) settled\b": "significant, not significant",
    r"\bno number of episodes\b": "more episodes will not help",
    r"\bof few episodes\b": "episode noise",
    r"\bNone (in some cells )?for (new|other|these)\b": "No interval for",
    r"\bhidden prior\b": "balanced queries give it a prior",
    r"\bnot quite fair\b": "Caution",
    r"\bnobody (said|knows)\b": "there is no information on",
    r"\bwritten anew\b": "updated, overwritten",
    r"\bbelongs? into\b": "include in",
    r"\bthese weights only\b": "these checkpoints",
    r"\bto be relied on\b": "do not rely on",
    r"\b(that|which) went worst\b": "the worst",
    r"\bthere are:": "known:",
    rf"(?<![\d.,/-])1 ({THINGS})\b": "the singular",
}
STORED = (
    "the episodes share images; draw them with DisjointPools",
    "every episode holds every one of the groups (superclass)",
    "2 classes are too few to speak of others",
    "all answers are right: the spread over classes cannot be seen",
    "some of the 7 classes are in every episode of their number of ways; draw more episodes",
    "3 disjoint pools of images; at least 5 are needed",
    "one support was drawn; at least 2 are needed",
    "the episodes do not answer all of a test set each",
    "the run was made by an older release",
)


def faults(text: str) -> list[str]:
    """Where a text has one of the phrases, each with what to say instead."""
    return [
        f"{text[max(0, match.start() - 50) : match.end() + 30]!r}: say {instead}"
        for phrase, instead in PHRASES.items()
        for match in re.finditer(phrase, text, re.IGNORECASE)
    ]


def prose(markdown: str) -> str:
    """The words of a page in one line, without code blocks and tables of numbers."""
    return re.sub(r"\s+", " ", re.sub(r"^```.*?^```", " ", markdown, flags=re.MULTILINE | re.DOTALL))


def visible(report: str) -> str:
    """The text and the titles of a report, without the columns of rows, which are as they were stored."""
    text = re.sub(r'<style.*?</style>|<script.*?</script>|<dl class="columns">.*?</dl>', " ", report, flags=re.DOTALL)
    titles = " | ".join(re.findall(r'(?:title|aria-label)="([^"]*)"', text))
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " | ", text) + titles)).replace("‑", "-")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Every command with its help."""
    context = click.Context(command, info_name=name)
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            member = command.get_command(context, sub)
            assert member is not None
            yield from commands(member, f"{name} {sub}")


HELP = dict(commands(main, "fewshot"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_pages_of_the_project_are_in_plain_words(path):
    assert faults(prose(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", HELP)
def test_help_is_in_plain_words(name):
    assert faults(re.sub(r"\s+", " ", HELP[name])) == []


@pytest.mark.parametrize("suite", SUITES)
def test_the_report_of_committed_rows_is_in_plain_words(suite):
    assert faults(visible(page(Shown.of(Results(RESULTS / f"{suite}.jsonl").rows()), None, suite))) == []


@pytest.mark.parametrize("reason", STORED)
def test_stored_reasons_have_words_of_their_own(reason):
    assert in_words(reason) != reason
    assert faults(in_words(reason)) == []


@pytest.mark.parametrize("text", ["Two intervals are told.", "15 queries a class", "of 1 runs", "Accuracy in percent"])
def test_the_phrases_are_recognised(text):
    assert faults(text)


@pytest.mark.parametrize(
    "text", ["episodes 0 to 1 000 runs", "5.1 images", "a class of its own", "as a class", "1-shot"]
)
def test_other_texts_are_not(text):
    assert faults(text) == []
