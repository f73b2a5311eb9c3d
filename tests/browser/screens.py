"""Take docs/screens/*.png: every page of the demo at 1280 and 400 pixels (`make screens`)."""

from __future__ import annotations

import shutil
import struct
import sys
import tempfile
import threading
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import waitress
from playwright.sync_api import sync_playwright

from lti_tool.sandbox.demo import Demo, addresses, prepare
from tests import services
from tool_config.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
#: Nothing above this: a picture is looked at in a browser, not printed.
MOST_BYTES = 120_000
WIDTHS = {1280: 900, 400: 800}
#: Pages whose sticky parts would hide something in a whole picture.
_ONE_SCREEN = ("in-course", "tutor-outline")
#: Pixels; what is further down says nothing more.
_TALLEST = 1800
#: In a page of the browser, which reads PNG: the commonest colours, and each pixel's nearest among them.
_FEWER_COLOURS = """async (shot) => {
  const bytes = Uint8Array.from(atob(shot), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const { width, height } = image;
  const drawing = new OffscreenCanvas(width, height).getContext('2d');
  drawing.drawImage(image, 0, 0);
  const data = drawing.getImageData(0, 0, width, height).data;
  const colours = new Uint32Array(width * height);
  const counts = new Map();
  for (let i = 0; i < colours.length; i++) {
    const colour = (data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2];
    colours[i] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const kept = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 64).map(([colour]) => colour);
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const [r, g, b] = parts(colour);
    const far = kept.map((other) => {
      const [x, y, z] = parts(other);
      return (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
    });
    nearest.set(colour, far.indexOf(Math.min(...far)));
  }
  let pixels = '';
  for (let i = 0; i < colours.length; i++) pixels += String.fromCharCode(nearest.get(colours[i]));
  return { width, height, palette: kept.flatMap(parts), pixels: btoa(pixels) };
}"""
_TABS = {
    "today": "Ce matin",
    "modules": "Modules",
    "people": "Participants",
    "satisfaction": "Satisfaction",
    "improvements": "Améliorations",
    "outline": "Parcours",
    "attendance": "Présences",
}


def main() -> int:
    """Write the pictures; return 1 when one of them is too heavy."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = services.free_port()
    with tempfile.TemporaryDirectory(prefix="estime-screens-") as folder:
        demo = prepare(Settings(data_dir=Path(folder)), port, say=print)
        listened = " ".join(addresses("127.0.0.1", port))
        server = waitress.create_server(demo.wsgi, listen=listened, threads=12)
        threading.Thread(target=server.run, daemon=True).start()
        try:
            heavy = list(_take(demo, port))
        finally:
            server.close()
    for path in heavy:
        print(f"too heavy: {path.name}, {path.stat().st_size} bytes", file=sys.stderr)
    return 1 if heavy else 0


def _take(demo: Demo, port: int) -> Iterator[Path]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        # Grey smoothing of letters: fewer colours, lighter pictures.
        options = [
            "--no-sandbox",
            "--disable-lcd-text",
            "--lang=fr-FR",
            "--host-resolver-rules=MAP *.test 127.0.0.1",
        ]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        for width, height in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="fr-FR", reduced_motion="reduce"
            )
            page = context.new_page()
            faults: list[str] = []
            page.on("response", lambda got, said=faults: said.append(got.url) if got.status >= 400 else None)
            for name in _pages(page, demo, port):
                path = FOLDER / f"{name}-{width}.png"
                _write(path, page, context, full_page=name not in _ONE_SCREEN)
                if faults:
                    raise SystemExit(f"{name} at {width}: {faults[0]} was refused")
                print(f"{path.name}: {path.stat().st_size // 1000} kB")
                if path.stat().st_size > MOST_BYTES:
                    yield path
            context.close()
        browser.close()


def _write(path: Path, page: Any, context: Any, *, full_page: bool) -> None:
    """Write a screenshot as a PNG of at most 64 colours, cut below `_TALLEST` pixels."""
    size = page.viewport_size
    tall = page.evaluate("document.documentElement.scrollHeight") if full_page else size["height"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(max(tall, size["height"]), _TALLEST)}
    shot = b64encode(page.screenshot(full_page=full_page, clip=clip)).decode()
    blank = context.new_page()
    found = blank.evaluate(_FEWER_COLOURS, shot)
    blank.close()
    width, height, pixels = found["width"], found["height"], b64decode(found["pixels"])
    rows = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes(found["palette"]))
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def _pages(page: Any, demo: Demo, port: int) -> Iterator[str]:
    """Bring the page to each screen in turn, and yield its name."""
    session = demo.campus.sessions[0]
    people = demo.campus.members(session)
    here = f"http://127.0.0.1:{port}/{session.site.key}/mod/lti"
    staff = {person.role: person.user_id for person in reversed(people) if person.role != "trainee"}
    trainee = next(p for p in people if p.profile == "weekly" and p.role == "trainee")

    page.goto(f"http://127.0.0.1:{port}/")
    yield "sandbox"
    page.goto(f"{here}/view.php?id={session.tool.cmid}&as={staff['tutor']}")
    frame = page.frame_locator("#contentframe")
    frame.locator(".lead").first.wait_for()
    if page.viewport_size["width"] > 1000:  # on a narrow screen the chart is further down
        frame.locator("svg.main-svg").first.wait_for()
    page.wait_for_timeout(500)
    yield "in-course"

    # In the whole window, as on a telephone: the page alone, from top to bottom.
    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={staff['tutor']}&window=window")
    page.locator(".lead").first.wait_for()
    for name, tab in _TABS.items():
        page.locator("nav.tabs a", has_text=tab).first.click()
        page.locator("nav.tabs a[aria-current=page]", has_text=tab).wait_for()
        _drawn(page)
        yield f"tutor-{name}"
    yield from _opened(page, "Modules", "Pour réfléchir", "tutor-module")
    yield from _opened(page, "Participants", trainee.name, "tutor-person")
    page.locator("nav.tabs a", has_text="Satisfaction").first.click()
    yield from _followed(page, "main a[href*='/satisfaction/']:not([href*='/new'])", "tutor-survey")
    page.locator("nav.tabs a", has_text="Satisfaction").first.click()
    yield from _followed(page, "main a[href*='/satisfaction/new']", "tutor-survey-new")

    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={trainee.user_id}&window=window")
    page.locator(".lead").first.wait_for()
    _drawn(page)
    yield "trainee"
    yield from _followed(page, "main a[href*='/surveys/']", "trainee-survey")
    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={staff['admin']}&window=window")
    page.locator(".lead").first.wait_for()
    yield "admin-sessions"


def _opened(page: Any, tab: str, text: str, name: str) -> Iterator[str]:
    page.locator("nav.tabs a", has_text=tab).first.click()
    page.locator("nav.tabs a[aria-current=page]", has_text=tab).wait_for()
    page.locator("main tbody th a", has_text=text).first.click()
    page.locator(".crumb").first.wait_for()
    _drawn(page)
    yield name


def _followed(page: Any, link: str, name: str) -> Iterator[str]:
    page.locator(link).first.click()
    page.wait_for_load_state()
    _drawn(page)
    yield name


def _drawn(page: Any) -> None:
    """Wait until every chart of the page has come into view and is drawn."""
    for place in page.locator("[data-chart]").all():
        place.scroll_into_view_if_needed()
        place.locator("svg.main-svg").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)


if __name__ == "__main__":
    raise SystemExit(main())
