"""The report in a real browser: no errors, no requests, no overflow; sorting, filtering and the keyboard work."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from fewshot.report import write_report
from fewshot.report.pictures.example import chosen
from fewshot.report.rows.images import RowImages
from fewshot.report.rows.shown import Shown
from tests.support.benchmark_rows import one_draw_rows
from tests.support.browser import browser, requests, resize, why_none
from tests.support.report_rows import invented_images, invented_predictions, quick_rows, row, stored

pytestmark = pytest.mark.skipif(bool(why_none()), reason=why_none() or "there is a browser")
WIDTHS = (390, 1024, 1440)
HEADS = [f"NearestNeighbour(k={k}, metric={metric!r})" for k in range(1, 41) for metric in ("cosine", "euclidean")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report with pictures and predictions, and one of 160 runs."""
    folder, rows = tmp_path_factory.mktemp("pages"), list(quick_rows())
    best = chosen(Shown.of(rows))
    assert best is not None
    images = replace(invented_images(tuple("abcde")), images_digest=best.images_digest)
    many = [
        row(0.2 + (number * 7 % 83) / 120 + k / 50, evaluator=head, k_shot=k, seconds_solving=1.0 + number)
        for k, (number, head) in product((1, 5), enumerate(HEADS))
    ]
    written = {name: folder / f"{name}.html" for name in ("few", "many", "means")}
    costs = {"n_params": 3_371_008, "flops": 767_815_104, "seconds_embedding": 2.0, "n_embedded": 1000}
    means = one_draw_rows(
        folder, {head: 0.1 + k / 20 for k, head in enumerate(HEADS[:8])}, seconds_solving=3.0, **costs
    )
    write_report(Shown.of(means.rows()), written["means"], means, "means")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowImages, "load", lambda *_: images)
        results = stored(folder, rows, invented_predictions(images), best.run_id)
        write_report(Shown.of(rows), written["few"], results, "few")
    write_report(Shown.of(many), written["many"], None, "many")
    return written


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        patch.setenv("no_proxy", "localhost,127.0.0.1")
        with browser(tmp_path_factory.mktemp("profile")) as driver:
            yield driver


def opened(driver: Any, page: Path, width: int = 1440, **how: Any) -> Any:
    resize(driver, width, **how)
    requests(driver), driver.get_log("browser")  # of what was open before
    driver.get(page.as_uri())
    return driver


def column(driver: Any, number: int) -> list[str]:
    """The texts of a column of the first table of accuracies, without hidden rows."""
    script = (
        "return [...document.querySelector('table.accuracies').tBodies[0].rows].filter((r) => !r.hidden)"
        f".map((r) => r.cells[{number}].dataset.value ?? r.cells[{number}].textContent.trim())"
    )
    return list(driver.execute_script(script))


# The boxes of stacked tables, and their headings, that reach beyond the screen.
BEYOND = """document.querySelectorAll('details').forEach((d) => (d.open = true));
const wide = [...document.querySelectorAll('.scroll')].filter(
  (box) => box.querySelector('table.stacked') && box.scrollWidth > box.clientWidth);
const cut = [...document.querySelectorAll('table.stacked th, table.stacked td')].filter(
  (cell) => cell.getBoundingClientRect().right > document.documentElement.clientWidth);
return [...wide.map((box) => box.ariaLabel), ...cut.map((cell) => cell.textContent)]"""


@pytest.mark.parametrize("width", [320, 390, 600])
def test_the_means_show_every_column_on_a_narrow_screen(pages, chromium, width) -> None:
    opened(chromium, pages["means"], width)
    assert chromium.execute_script("return document.querySelectorAll('table.stacked').length") >= 2
    assert chromium.execute_script(BEYOND) == []


@pytest.mark.parametrize(("name", "width", "dark"), list(product(("few", "many"), WIDTHS, (False, True))))
def test_a_page_has_no_errors_asks_for_nothing_and_fits(pages, chromium, name, width, dark) -> None:
    opened(chromium, pages[name], width, dark=dark)
    assert chromium.get_log("browser") == []
    assert requests(chromium) == [pages[name].as_uri()]
    wide, inner = chromium.execute_script(
        "document.querySelectorAll('details').forEach((d) => (d.open = true));"
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= inner <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(pages, chromium, dark) -> None:
    opened(chromium, pages["few"], dark=dark)
    script = """
    const light = (colour) => {
      const [r, g, b] = colour.match(/[\\d.]+/g).map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = light(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll("p, .verdict, .kicker, .name, small, figcaption, summary, th, td, .end")]
      .map((e) => light(e.matches(".end") ? getComputedStyle(e).fill : getComputedStyle(e).color))
      .map((l) => (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05));
    """
    assert min(chromium.execute_script(script)) >= 4.5


def test_the_first_screen_has_the_verdict_and_the_ranking(pages, chromium) -> None:
    rankings = dict.fromkeys(("few", "many"), (".ranking li", ".ranking li:nth-child(2) circle"))
    # The best mean stands above the rankings of the sets.
    rankings["means"] = ("table tbody tr :nth-child(1)", "table tbody tr :nth-child(2)")
    for name, width in product(pages, WIDTHS):
        opened(chromium, pages[name], width)
        places = chromium.execute_script(
            "return arguments[0].map((s) => document.querySelector(s).getBoundingClientRect().bottom)",
            [".verdict", *rankings[name]],
        )
        assert max(places) < 900, (name, width, places)


def test_headings_sort_a_table_up_and_down(pages, chromium) -> None:
    opened(chromium, pages["many"])
    numbers = list(map(float, column(chromium, 1)))
    assert numbers == sorted(numbers, reverse=True)
    heading = chromium.find_element("css selector", "table.accuracies th:nth-child(2) button")
    heading.click()
    assert list(map(float, column(chromium, 1))) == sorted(numbers)
    assert heading.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    heading.click()
    assert list(map(float, column(chromium, 1))) == numbers
    chromium.find_element("css selector", "table.accuracies th:nth-child(1) button").click()
    names = column(chromium, 0)
    assert [names[0], len(names), len(set(names))] == ["L2 + NearestNeighbour", 80, 80]
    assert names.index("L2 + NearestNeighbour(k=2)") < names.index("L2 + NearestNeighbour(k=10)")


def test_a_text_box_filters_a_table(pages, chromium) -> None:
    opened(chromium, pages["many"])
    box = chromium.find_element("css selector", ".tools input")
    box.send_keys("K=1 euclid")
    names = column(chromium, 0)
    assert len(names) == 10
    assert all("k=1" in name and "euclid" in name for name in names)
    tools = chromium.find_element("css selector", ".tools").text
    assert f"{len(names)} of 80 rows" in tools
    assert "Select a heading to sort." in tools
    box.clear()
    box.send_keys(" ")
    assert len(column(chromium, 0)) == 80


def test_a_long_table_shows_its_first_rows_in_any_order_and_all_on_demand(tmp_path, chromium) -> None:
    rows = [row(0.2 + n / 1000, evaluator=f"LinearProbe(C={n}.0)") for n in range(1, 251)]
    write_report(Shown.of(rows), tmp_path / "long.html", None, "long")
    opened(chromium, tmp_path / "long.html")
    accuracies = sorted(round(each.accuracy or 0.0, 6) for each in rows)
    assert list(map(float, column(chromium, 1))) == accuracies[::-1][:200]
    tools = chromium.find_element("css selector", ".tools")
    assert "250 rows, the first 200 shown" in tools.text
    chromium.find_element("css selector", "table.accuracies th:nth-child(2) button").click()
    assert list(map(float, column(chromium, 1))) == accuracies[:200]
    box = chromium.find_element("css selector", ".tools input")
    box.send_keys("C=24")
    assert len(column(chromium, 1)) == 11
    assert "11 of 250 rows" in tools.text
    box.clear()
    box.send_keys(" ")
    tools.find_element("css selector", "button.every").click()
    assert len(column(chromium, 1)) == 250
    assert not tools.find_element("css selector", "button.every").is_displayed()


def test_the_page_works_by_keyboard(pages, chromium) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(chromium, pages["many"])
    focused = chromium.switch_to.active_element
    focused.send_keys(Keys.TAB)
    skip = chromium.switch_to.active_element
    assert skip.text == "Skip to the answer"
    assert skip.rect["x"] >= 0
    skip.send_keys(Keys.ENTER)
    assert chromium.switch_to.active_element.get_attribute("id") == "answer"
    button = chromium.find_element("css selector", "table.accuracies th:nth-child(2) button")
    before = column(chromium, 1)
    chromium.execute_script("arguments[0].focus({focusVisible: true})", button)
    assert chromium.execute_script("return getComputedStyle(arguments[0]).outlineStyle", button) == "solid"
    button.send_keys(Keys.ENTER)
    assert column(chromium, 1) == before[::-1]
    scrolled = chromium.execute_script(
        "return [...document.querySelectorAll('.scroll')].every((box) => box.tabIndex === 0)"
    )
    assert scrolled


def test_the_first_column_of_a_wide_table_stays_in_sight(pages, chromium) -> None:
    opened(chromium, pages["many"], 390)
    left, moved = chromium.execute_script(
        "const table = document.querySelector('table.accuracies'); const box = table.closest('.scroll');"
        "box.scrollLeft = 80; const cell = table.tBodies[0].rows[0].cells;"
        "return [cell[0].getBoundingClientRect().left - box.getBoundingClientRect().left, box.scrollLeft]"
    )
    assert moved > 0
    assert abs(left) < 1


def test_a_command_is_copied_or_selected(pages, chromium) -> None:
    opened(chromium, pages["few"])
    chromium.execute_script("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    button = chromium.find_element("css selector", "pre.command + .copy")
    button.click()
    for _ in range(50):
        if button.text != "Copy":
            break
    assert button.text in ("Copied", "Selected")


@pytest.mark.parametrize("name", ["few", "many"])
def test_a_printed_page_starts_with_the_answer_and_cuts_no_table(pages, chromium, name) -> None:
    opened(chromium, pages[name], 1024, media="print")  # emulated; 1024 pixels are about A4 at this font size
    wide, inner, boxes, first = chromium.execute_script(
        "window.dispatchEvent(new Event('beforeprint'));"
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth,"
        " [...document.querySelectorAll('.scroll:not(.plot)')].map((b) => [b.scrollWidth, b.clientWidth]),"
        " document.querySelector('.verdict').getBoundingClientRect().top]"
    )
    assert wide <= inner
    assert all(content <= box + 1 for content, box in boxes)
    assert first < 400
