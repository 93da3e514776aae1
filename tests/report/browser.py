#!/usr/bin/env python3
"""Looks at pages of `runcladctl report --html` in Chromium, through its DevTools protocol.

    browser.py DIRECTORY     with 12.html and 500.html (tests/report/run.sh makes them)

Layout at 360 and 1280 pixels, contrast in both colour schemes, keyboard, print, size and time. Screenshots are written
beside the pages. The last line is `N passed, N failed`.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket

PASSED, FAILED = [], []

# WCAG 2.1: the contrast of every text with what is behind it.
CONTRAST = """
(() => {
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  let least = 99, of = '', seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('title')) continue;
    const text = parse(getComputedStyle(element).color), ground = behind(element), key = text + '|' + ground;
    if (seen.has(key)) continue;
    seen.add(key);
    const [a, b] = [luminance(text), luminance(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) { least = ratio; of = walker.currentNode.data.trim().slice(0, 40); }
  }
  return {least, of, pairs: seen.size};
})()
"""
# What sticks out to the right, apart from what is in a box that scrolls by itself.
OVERFLOW = """
(() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.body.querySelectorAll('*')].filter(
    e => !e.closest('.table') && !e.closest('.skip') && e.getBoundingClientRect().right > width + 1);
  return {scroll: document.documentElement.scrollWidth, width,
          out: out.slice(0, 5).map(e => e.tagName + '.' + e.className)};
})()
"""
FOCUSED = """
(() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {tag: e.tagName, text: (e.getAttribute('aria-label') || e.textContent).slice(0, 40),
          outline: style.outlineStyle, width: parseFloat(style.outlineWidth), top: box.top + scrollY,
          isShown: box.bottom > 0 && box.top < innerHeight};
})()
"""


def check(sentence, is_so, why=""):
    (PASSED if is_so else FAILED).append(sentence)
    print(f"ok - {sentence}" if is_so else f"not ok - {sentence}: {why}", flush=True)


class Browser:
    def __init__(self, profile):
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*", "--no-first-run",
             f"--user-data-dir={profile}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        path = os.path.join(profile, "DevToolsActivePort")
        deadline = time.time() + 60
        while not os.path.exists(path) or not open(path).read().count("\n"):
            if time.time() > deadline or self.process.poll() is not None:
                raise RuntimeError("chromium did not start")
            time.sleep(0.1)
        port = open(path).read().split("\n")[0]
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        self.socket = websocket.create_connection(
            next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"), timeout=120)
        self.number, self.events = 0, []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def ask(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def show(self, path, width, height, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        start = time.time()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while self.ask("document.readyState") != "complete":
            time.sleep(0.05)
        return time.time() - start

    def press(self, key, code, modifiers=0):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      modifiers=modifiers)

    def save(self, path, whole):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(20)


def look(browser, directory):
    small, large = os.path.join(directory, "12.html"), os.path.join(directory, "500.html")
    for width, height in ((1280, 900), (360, 740)):
        for scheme in ("light", "dark"):
            browser.show(small, width, height, scheme)
            overflow = browser.ask(OVERFLOW)
            check(f"{width} px, {scheme}: nothing is wider than the screen",
                  overflow["scroll"] <= overflow["width"] and not overflow["out"], overflow)
            contrast = browser.ask(CONTRAST)
            print(f"{contrast['least']:.2f} is the least contrast of {contrast['pairs']} pairs ({contrast['of']})")
            check(f"{width} px, {scheme}: every text has a contrast of 4.5", contrast["least"] >= 4.5, contrast)
            browser.save(os.path.join(directory, f"{width}-{scheme}.png"), False)
    browser.show(small, 1280, 900, "light")
    worst = browser.ask("(() => { const e = document.querySelector('#worst'), b = e.getBoundingClientRect();"
                        "return {text: e.textContent, bottom: b.bottom, size: parseFloat(getComputedStyle(e).fontSize)} })()")
    check("the most exposed container is on the first screen", worst["bottom"] < 900 and worst["size"] >= 20, worst)
    why = browser.ask("[...document.querySelectorAll('.why li')].map(e => e.getBoundingClientRect().bottom)")
    check("and so are the three reasons", len(why) == 3 and max(why) < 900, why)

    # The keyboard alone.
    seen = []
    for _ in range(400):
        browser.press("Tab", 9)
        # The page moves there smoothly.
        for _ in range(20):
            focused = browser.ask(FOCUSED)
            if focused["tag"] == "BODY" or focused["isShown"]:
                break
            time.sleep(0.1)
        if focused["tag"] == "BODY":
            break
        seen.append(focused)
    check("the first stop leads to the containers", seen and seen[0]["text"].startswith("Skip"), seen[:1])
    check("each stop is visible", all(f["outline"] == "solid" and f["width"] >= 2 and f["isShown"] for f in seen),
          [f for f in seen if f["outline"] != "solid" or not f["isShown"]][:3])
    check("the order is that of the page", all(a["top"] <= b["top"] + 60 for a, b in zip(seen[1:], seen[2:])),
          [(a, b) for a, b in zip(seen[1:], seen[2:]) if a["top"] > b["top"] + 60][:2])
    browser.ask("document.querySelector('summary').focus()")
    before = browser.ask("document.querySelectorAll('details[open]').length")
    browser.press("Enter", 13)
    browser.call("Input.dispatchKeyEvent", type="char", text="\r")
    check("a line is opened with the keyboard",
          browser.ask("document.querySelectorAll('details[open]').length") > before)
    first = browser.ask("document.querySelector('#worst a').getAttribute('href')")
    browser.ask("document.querySelector('#worst a').click()")
    time.sleep(0.5)
    check("a name leads to its own lines, and opens them",
          browser.ask(f"document.querySelector('{first}').closest('details').open"))

    # A container's name is text, and the page asks for nothing.
    check("nothing that a container brings along runs",
          browser.ask("document.scripts.length === 0 && document.images.length === 0"))
    policy = [e for e in browser.events if "Content Security Policy" in json.dumps(e)]
    check("the page keeps to its own policy", not policy, policy[:2])
    asked = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    check("it asks for nothing but itself", all(url.startswith("file://") and url.endswith(".html") or
                                               url == "about:blank" for url in asked), asked[:5])

    pdf = base64.b64decode(browser.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69,
                                        printBackground=True)["data"])
    with open(os.path.join(directory, "12.pdf"), "wb") as file:
        file.write(pdf)
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    hidden = browser.ask("[...document.querySelectorAll('details:not([open]) > div')].filter("
                         "e => !e.checkVisibility({contentVisibilityAuto: false})).length")
    check("print shows what is folded", hidden == 0, hidden)
    check("and is a document of some pages", 20_000 < len(pdf) < 5_000_000 and pdf.count(b"/Type /Page") > 2, len(pdf))

    size = os.path.getsize(large)
    seconds = browser.show(large, 1280, 900, "light")
    print(f"500 containers: {size} bytes, loaded in {seconds:.2f} s")
    check("500 containers: less than 3 MB", size < 3_000_000, size)
    check("500 containers: loaded within 5 s", seconds < 5, seconds)
    overflow = browser.ask(OVERFLOW)
    check("500 containers: nothing is wider than the screen", overflow["scroll"] <= overflow["width"], overflow)
    browser.save(os.path.join(directory, "500.png"), False)


def main():
    with tempfile.TemporaryDirectory(prefix="runclad-browser.") as profile:
        browser = Browser(profile)
        try:
            look(browser, sys.argv[1])
        finally:
            browser.close()
    print(f"{len(PASSED)} passed, {len(FAILED)} failed")
    return 1 if FAILED or not PASSED else 0


sys.exit(main())
