"""The web page in a headless Chromium, as a person uses it: drop, wait, hover, keys, download."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from live_service import free_port, live_service

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "contract.png"
PATIENCE = 60

DROP = """
const [input] = arguments;
const transfer = new DataTransfer();
for (const file of input.files) transfer.items.add(file);
input.remove();
for (const kind of ["dragenter", "dragover", "drop"]) {
  document.getElementById("drop").dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    browser_or_skip()
    with live_service(tmp_path_factory.mktemp("service"), free_port()) as address:
        yield address


def browser_or_skip() -> tuple[str, str]:
    pytest.importorskip("selenium", reason="the browser is driven by selenium, which is not installed")
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if programs[0] is None or programs[1] is None:
        pytest.skip("Chromium is not installed (apt-get install chromium chromium-driver)")
    return programs[0], programs[1]


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def driver(service: str, downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    program, chromedriver = browser_or_skip()
    options = Options()
    options.binary_location = program
    profile = tmp_path_factory.mktemp("profile")
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        "--lang=en-US",
    ):
        options.add_argument(word)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads), "intl.accept_languages": "en-US"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(chromedriver))
    browser.set_window_size(1280, 1000)
    yield browser
    browser.quit()


@pytest.fixture
def page(driver: Any, service: str) -> Any:
    """The page as it looks when it is opened, in English."""
    driver.get(service)
    driver.execute_script("localStorage.clear()")
    driver.get(service)
    return driver


def wait(driver: Any, condition: Callable[[Any], Any]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, PATIENCE, poll_frequency=0.1).until(condition)


def all_of(driver: Any, selector: str) -> list[Any]:
    found: list[Any] = driver.find_elements("css selector", selector)
    return found


def drop(driver: Any, *files: Path) -> None:
    driver.execute_script(
        "document.body.append(Object.assign(document.createElement('input'), {type: 'file', multiple: true, id: 'hand'}))"
    )
    hand = driver.find_element("id", "hand")
    hand.send_keys("\n".join(str(file) for file in files))
    driver.execute_script(DROP, hand)


PASTE = """
const answer = await fetch("page/samples/seal.png");
const transfer = new DataTransfer();
transfer.items.add(new File([await answer.blob()], "image.png", { type: "image/png" }));
document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
"""


def lit(driver: Any, selector: str) -> list[str]:
    return [part.get_attribute("data-line") for part in all_of(driver, f"{selector}.lit")]


def asked(address: str, sample: Path) -> list[dict[str, Any]]:
    body = json.dumps({"file": base64.b64encode(sample.read_bytes()).decode(), "fileType": 0 if sample.suffix == ".pdf" else 1})
    request = urllib.request.Request(f"{address}/seal-recognition", body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        pages: list[dict[str, Any]] = json.load(answer)["result"]["sealRecResults"]
    return pages


def test_a_dropped_file_is_read_shown_and_downloaded(page: Any, service: str, downloads: Path) -> None:
    from selenium.webdriver import ActionChains, Keys

    [expected] = asked(service, SAMPLE)
    lines = [line for seal in expected["prunedResult"]["seals"] for line in seal["lines"]]
    drop(page, SAMPLE)
    wait(page, lambda driver: all_of(driver, ".reading table"))
    assert [cell.text for cell in all_of(page, "td .text")] == [line["text"] for line in lines]
    assert len(all_of(page, ".sheet .box")) == len(expected["prunedResult"]["seals"])
    wait(page, lambda driver: driver.execute_script("return document.querySelector('.sheet canvas').width > 300"))

    # An outline lights its row, and the tip says its text.
    outlines, rows = all_of(page, ".sheet g.line"), all_of(page, "tbody tr")
    ActionChains(page).move_to_element(rows[1]).perform()
    assert lit(page, ".sheet g") == [rows[1].get_attribute("data-line")]
    tip = page.find_element("css selector", ".tip:not([hidden])")
    assert tip.text.startswith(lines[1]["text"])
    ActionChains(page).move_to_element(outlines[1]).perform()
    assert lit(page, "tbody tr") == [outlines[1].get_attribute("data-line")]

    # The keyboard: arrows move among the outlines, Enter goes to the row.
    page.execute_script("arguments[0].focus()", outlines[0])
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert page.switch_to.active_element.get_attribute("data-line") == outlines[1].get_attribute("data-line")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    focused = page.switch_to.active_element
    assert (focused.tag_name, focused.get_attribute("data-line")) == ("button", outlines[1].get_attribute("data-line"))

    click(page, "Download JSON")
    click(page, "Download picture")
    saved, picture = downloads / "contract_res.json", downloads / "contract.jpg"
    wait(page, lambda driver: saved.is_file() and picture.is_file())
    [said] = json.loads(saved.read_text(encoding="utf-8"))["sealRecResults"]
    assert said == {"prunedResult": expected["prunedResult"]}
    assert picture.read_bytes() == base64.b64decode(expected["outputImages"]["layout_det_res"])
    assert cv2.imread(str(picture)) is not None


def click(driver: Any, text: str) -> None:
    driver.find_element("xpath", f"//button[normalize-space()={json.dumps(text, ensure_ascii=False)}]").click()


def test_a_pdf_shows_every_page(page: Any, service: str) -> None:
    pages = asked(service, SAMPLE.with_name("invoice.pdf"))
    page.find_element("css selector", "[data-sample='invoice.pdf']").click()
    wait(page, lambda driver: len(all_of(driver, ".page")) == len(pages) and not all_of(driver, "#work:not([hidden])"))
    assert len(all_of(page, ".seal")) == sum(len(entry["prunedResult"]["seals"]) for entry in pages)
    assert "2 pages" in page.find_element("css selector", ".summary").text
    assert [title.text for title in all_of(page, "h3")] == ["Page 1 of 2", "Page 2 of 2"]


def test_a_pasted_picture_is_read_and_can_be_removed(page: Any) -> None:
    page.execute_script(f"(async () => {{ {PASTE} }})()")
    wait(page, lambda driver: all_of(driver, ".reading table"))
    assert page.find_element("css selector", ".reading h2").text == "image.png"
    page.find_element("css selector", "button[aria-label='Remove image.png']").click()
    assert all_of(page, ".reading") == []
    assert page.find_element("css selector", "h1").is_displayed()


def test_what_is_unsure_says_so(page: Any, service: str) -> None:
    [expected] = asked(service, SAMPLE)
    lines = [line for seal in expected["prunedResult"]["seals"] for line in seal["lines"]]
    unsure = [line["text"] for line in lines if line["score"] < 0.9]
    drop(page, SAMPLE)
    wait(page, lambda driver: all_of(driver, ".reading table"))
    marked = [row for row in all_of(page, "tbody tr") if "unsure" in row.find_element("css selector", ".score").text]
    assert [row.find_element("css selector", ".text").text for row in marked] == unsure
    assert len(unsure) > 0
    doubtful = [character["text"] for line in lines for character in line["chars"] if character["score"] < 0.8]
    assert [mark.text for mark in all_of(page, "mark")] == doubtful


def test_a_place_that_cannot_be_read_is_shown_as_doubtful(page: Any, service: str, tmp_path: Path) -> None:
    sheet = np.full((1000, 700, 3), 255, np.uint8)
    for y in range(80, 600, 36):
        cv2.line(sheet, (60, y), (600, y), (90, 90, 90), 9)
    cv2.circle(sheet, (480, 760), 90, (40, 40, 200), 4)
    for angle in np.radians(np.arange(150, 390, 13)):  # strokes in the place of characters
        x, y = (int(480 + 70 * np.cos(angle)), int(760 + 70 * np.sin(angle)))
        cv2.line(sheet, (x - 6, y - 6), (x + 6, y + 7), (40, 40, 200), 3)
    cv2.imwrite(str(tmp_path / "strokes.png"), sheet)
    [expected] = asked(service, tmp_path / "strokes.png")
    [place] = expected["prunedResult"]["doubtful_places"]
    assert np.allclose(place["bbox"], [388, 668, 572, 852], atol=10)
    assert expected["prunedResult"]["seals"] == []
    drop(page, tmp_path / "strokes.png")
    wait(page, lambda driver: all_of(driver, ".seals .note"))
    assert [note.text for note in all_of(page, ".seals .note")][
        -1
    ] == "1 place looks like a seal, but nothing there can be read (grey box)."
    [box] = all_of(page, ".sheet .box")
    assert box.get_attribute("class") == "box doubtful"
    assert float(box.get_attribute("x")) == place["bbox"][0]


def test_a_file_that_is_no_picture_is_refused_in_words(page: Any, tmp_path: Path) -> None:
    letter = tmp_path / "letter.png"
    letter.write_text("Dear Sir", encoding="utf-8")
    drop(page, letter)
    trouble = wait(page, lambda driver: all_of(driver, "#trouble:not([hidden])"))[0]
    assert "letter.png: This file could not be read." in trouble.text
    assert trouble.get_attribute("role") == "alert"
    assert all_of(page, ".reading") == []


def test_the_settings_go_with_the_request(page: Any) -> None:
    page.find_element("css selector", "#settings > summary").click()
    page.find_element("css selector", "#useLayoutDetection option[value=off]").click()
    wait(page, lambda driver: driver.find_element("id", "changed").text == "1 changed")
    page.find_element("css selector", "[data-sample='seal.png']").click()
    wait(page, lambda driver: all_of(driver, ".reading table"))
    assert [facts.text.split(" · ")[0].replace("\u00a0", " ") for facts in all_of(page, ".facts")] == [
        "found with 99 %"
    ]  # the whole picture: 1.0


def test_the_language_is_kept(page: Any, service: str) -> None:
    assert page.execute_script("return document.documentElement.lang") == "en"
    click(page, "中文")
    assert page.find_element("css selector", "h1").text == "识别文档上的印章"
    page.get(service)
    assert page.execute_script("return document.documentElement.lang") == "zh-Hans"
    click(page, "English")
    assert page.find_element("css selector", "h1").text == "Read the seals on a document"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_runs_out_at_the_side(page: Any, width: int) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 700}
    )
    try:
        drop(page, SAMPLE)
        wait(page, lambda driver: all_of(driver, ".reading table"))
        assert page.execute_script("const root = document.documentElement; return [root.scrollWidth - root.clientWidth, innerWidth]") == [
            0,
            width,
        ]
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_page_asks_nobody_else_and_complains_of_nothing(page: Any, service: str) -> None:
    for log in ("browser", "performance"):
        page.get_log(log)  # what came before does not count
    page.get(service)
    page.find_element("css selector", "[data-sample='contract.png']").click()
    wait(page, lambda driver: all_of(driver, ".reading table"))
    assert [entry for entry in page.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    addresses = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert len(addresses) > 8
    assert [address for address in addresses if not address.startswith(f"{service}/")] == []
