"""Draw the pictures of the documentation again: `make images`.

Needs Chromium and a Chinese font; on Debian and Ubuntu the packages chromium and
fonts-wqy-microhei.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import ankang_coverage as ac

FOLDER = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RESOLUTION_M = 90.0
SIZE_PIXELS = (1400, 1000)
LIMIT_BYTES = 300_000
"""Largest picture the repository takes."""


def main() -> None:
    """Plan the built-in study and photograph its map."""
    browser = find_browser()
    scenario = ac.Scenario.builtin()
    region = scenario.region.model_copy(update={"resolution_m": RESOLUTION_M})
    plan = ac.run(scenario.model_copy(update={"region": region}))
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "map.html")
        ac.plan_map(plan).save(str(page))
        save_small(screenshot(browser, page), FOLDER / "map.png")


def find_browser() -> str:
    """Return the path of Chromium, or end with what to install."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    sys.exit(
        f"none of {', '.join(BROWSERS)} is installed: the pictures are photographs of its window; "
        f"on Debian or Ubuntu run apt-get install chromium fonts-wqy-microhei"
    )


def screenshot(browser: str, page: Path) -> Image.Image:
    """Return what a browser without a window shows of a page."""
    picture = page.with_suffix(".png")
    width, height = SIZE_PIXELS
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--hide-scrollbars",
        f"--user-data-dir={page.parent / 'profile'}",
        f"--window-size={width},{height}",
        "--virtual-time-budget=15000",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    finished = subprocess.run(  # noqa: S603  the command is our own
        command, capture_output=True, text=True, timeout=180, check=False
    )
    if not picture.is_file():
        sys.exit(f"{browser} made no picture: {finished.stderr.strip()[-500:]}")
    with Image.open(picture) as image:
        return image.convert("RGB")


def save_small(image: Image.Image, path: Path) -> None:
    """Save a picture with as many colours as keep the file within the limit."""
    for n_colours in (256, 128, 64, 32):
        # Maximum coverage gives rare hues, such as those of the chosen sites, colours of their own.
        paletted = image.quantize(n_colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        paletted.save(path, optimize=True)
        if path.stat().st_size < LIMIT_BYTES:
            print(f"{path}: {n_colours} colours, {path.stat().st_size:,} bytes")
            return
    sys.exit(f"{path} does not fit into {LIMIT_BYTES:,} bytes: lower SIZE_PIXELS")


if __name__ == "__main__":
    main()
