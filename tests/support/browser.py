"""A headless Chromium for tests of pages, or the reason why there is none. Nothing is downloaded."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


def why_none() -> str:
    """Why no browser can be started; "" if one can."""
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed; install the extra 'test'"
    if not any(map(shutil.which, _BROWSERS)):
        return f"no browser found (looked for {', '.join(_BROWSERS)}); on Debian: apt-get install chromium"
    return "" if shutil.which("chromedriver") else "no chromedriver found; on Debian: apt-get install chromium-driver"


@contextmanager
def browser(profile: Path) -> Iterator[Any]:
    """A browser with an empty profile in this folder. It logs its console and its requests."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(next(filter(None, map(shutil.which, _BROWSERS))))
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver: Any, width: int, dark: bool = False, media: str = "screen") -> None:
    """Gives the page this width in pixels, a colour scheme and a medium."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme, "media": media})


def requests(driver: Any) -> list[str]:
    """The addresses that pages asked for since the last call, without data inside a page and the pages of Chromium."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    sent = (m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent")
    return [address for address in sent if not address.startswith(("data:", "chrome"))]
