"""A plan and its files, and pages as their readers see them: their data, and in Chromium."""

import html
import json
import re
import subprocess

import pytest
from builders import RULES, micro_target, plan

from ankang_coverage.planning import Programme
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.sites.catalogue import service


@pytest.fixture(scope="session")
def planned(small_region, small_network):
    """Three micro sites on the small region."""
    target = micro_target(id="micro", number=3)
    rules = {"4g": RULES["4g"], "5g": service("5g")}  # 5G is asked for beside the target's 4G
    return plan(small_region, small_network, Programme(name="p", targets=(target,)), rules=rules)


@pytest.fixture(scope="session")
def written(planned, tmp_path_factory):
    """The files of that plan, by name."""
    return write_plan(planned, tmp_path_factory.mktemp("out") / "deep" / "er")


@pytest.fixture(scope="session")
def data_of():
    """Read the data that a page holds for its script, as the script reads them."""

    def read(page):
        (block,) = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', page)
        return json.loads(block)

    return read


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a page, run a script, and return the document, what it told, and the console's words.

    The script may ``tell`` a value: it comes back as it was, whatever characters it has.
    """

    def open_page(page, script=""):
        tell = """
        const tell = (value) => {
          const text = JSON.stringify(value).replace(/[^ -~]/g, (one) =>
            "\\\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
          document.body.dataset.told = text;
        };
        """
        start = f"<script>window.addEventListener('load', () => {{{tell}{script}}});</script>"
        shown = tmp_path / "shown.html"
        shown.write_text(page.replace("</html>", f"{start}</html>"), "utf-8")
        command = [
            *(str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000"),
            *("--window-size=1400,1000", "--dump-dom", shown.as_uri()),
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        messages = [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line]
        document = done.stdout.decode("utf-8")
        told = re.search(r'data-told="([^"]*)"', document)
        return document, told and json.loads(html.unescape(told[1])), messages

    return open_page
