"""The dashboard in a real browser: values, zoom, live update, colours, widths, accessibility.

Arguments: address of the server, file of axe-core, folder for screenshots. A line on stdin lets a reading come
(the caller writes it to the store); what it is to show is on the line.
"""

import json
import sys

from playwright.sync_api import sync_playwright

address, axe, folder = sys.argv[1:4]
SIZES = {"wide": (1400, 900), "phone": (360, 740)}


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def accessible(page, what):
    page.evaluate(open(axe, encoding="utf-8").read() + "; 0")
    found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.help, v.nodes.map(n => n.html.slice(0, 160))])")
    check(not found, f"axe, {what}: {json.dumps(found, indent=1, ensure_ascii=False)}")


def opened(browser, scheme, size, locale, said):
    width, height = SIZES[size]
    # axe is put in by the test; the page itself runs under its own policy.
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale,
                                  timezone_id="Europe/Zurich", bypass_csp=True)
    page = context.new_page()
    page.on("console", lambda message: message.type in ("error", "warning") and said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: "ERR_ABORTED" not in (request.failure or "") and said.append(f"{request.url} {request.failure}"))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(address) else None)
    page.goto(address + "/")
    page.wait_for_function("document.querySelector('#power').textContent !== '–'")
    page.wait_for_function("document.querySelectorAll('#energy-day canvas, #voltage .band').length > 3")
    page.wait_for_timeout(900)
    return page


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    said = []

    # Under the page's own policy, with nothing put in.
    context = browser.new_context()
    strict = context.new_page()
    strict.on("console", lambda message: message.type in ("error", "warning") and said.append(message.text))
    strict.on("pageerror", lambda error: said.append(str(error)))
    strict.goto(address + "/")
    # The policy forbids what waiting for a condition needs.
    for _ in range(50):
        strict.wait_for_timeout(200)
        if strict.locator("#power").text_content() != "–":
            break
    check(strict.locator("#power").text_content() != "–", "nothing is shown under the page's own policy")
    strict.wait_for_timeout(500)
    context.close()
    check(not said, f"console: {said}")

    for scheme, size, locale, word in [("light", "wide", "fr-CH", "Maintenant"), ("dark", "wide", "de-CH", "Jetzt"),
                                       ("light", "phone", "en-GB", "Now"), ("dark", "phone", "fr-FR", "Maintenant")]:
        what = f"{size} {scheme} {locale}"
        page = opened(browser, scheme, size, locale, said)
        check(page.locator("#now-title").text_content() == word, f"{what}: language")
        check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what}: wider than the screen")
        page.screenshot(path=f"{folder}/{size}-{scheme}.png", full_page=True)
        accessible(page, what)
        page.locator("summary").first.click()
        page.wait_for_timeout(100)
        check(page.locator("#explore tbody tr").count() > 20, f"{what}: the table behind the chart")
        accessible(page, what + ", table open")
        page.context.close()

    page = opened(browser, "light", "wide", "en-GB", said)
    shown = page.locator("#power").text_content().replace(",", "")
    current = json.loads(page.evaluate("async () => await (await fetch('/api/data/current')).text()"))
    check(shown == str(abs(current["puissance_active"])), f"shows {shown}, is {current}")
    check(f"{current['tensions'][0]:.1f} V" in page.locator("#phases").text_content(), "voltage of L1")

    # From all there is to a minute, by dragging; and back.
    page.get_by_role("button", name="All").click()
    page.wait_for_timeout(600)
    plot = page.locator("#explore .plot")
    plot.scroll_into_view_if_needed()
    caption = page.locator("#explore .head .hint")
    captions = [caption.text_content()]
    for _ in range(12):
        box = plot.bounding_box()
        middle = box["x"] + 46 + (box["width"] - 54) * 0.93
        page.mouse.move(middle - 40, box["y"] + 80)
        page.mouse.down()
        page.mouse.move(middle + 20, box["y"] + 90, steps=4)
        page.mouse.up()
        page.wait_for_timeout(350)
        captions.append(caption.text_content())
        if "1s" in captions[-1] and captions[-1] == captions[-2]:
            break
    check(len(set(captions)) >= 4 and "1s" in captions[-1], f"zoom: {captions}")
    page.screenshot(path=f"{folder}/zoomed.png")
    plot.focus()
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    check(caption.text_content() != captions[-1], "Escape goes back")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.wait_for_timeout(400)
    for name in ("voltage", "current", "frequency"):
        page.get_by_label("Quantity").select_option(name)
        page.wait_for_timeout(300)
        check("No reading" not in caption.text_content(), name)

    # A reading comes.
    print("ready", flush=True)
    watts = sys.stdin.readline().strip()
    page.wait_for_function("watts => document.querySelector('#power').textContent.replace(/[^0-9]/g, '') === watts", arg=watts, timeout=8000)
    check("live" in page.locator("#fresh").get_attribute("class"), "fresh")
    page.screenshot(path=f"{folder}/live.png")
    page.context.close()

    docs = browser.new_context(bypass_csp=True).new_page()
    docs.goto(address + "/docs")
    accessible(docs, "docs")
    docs.screenshot(path=f"{folder}/docs.png")
    check(not said, f"console: {said}")
    browser.close()
print("done", flush=True)
