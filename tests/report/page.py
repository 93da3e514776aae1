#!/usr/bin/env python3
"""Reads a page that `runcladctl report --html` wrote, without a browser.

    page.py FILE [TEXT…]

Every element is closed, ids are unique, each link leads to one of them, nothing is fetched, nothing is run, the
style is the one that the page's policy allows, and each TEXT is text of the page. The last line is
`N passed, N failed`.
"""

import base64
import hashlib
import html.parser
import re
import sys

VOID = {"meta", "link", "br", "hr", "img", "input"}
# What fetches or runs something.
FORBIDDEN = {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "source"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.ids, self.links, self.texts = [], [], [], [], []
        self.style, self.policy, self.headings, self.tables, self.regions = "", "", [], 0, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in FORBIDDEN:
            self.faults.append(f"<{tag}> {attributes}")
        for name, value in attributes.items():
            if name.startswith("on") or name == "style" or (name in ("src", "srcset", "xlink:href", "action")):
                self.faults.append(f"{name} of <{tag}>: {value}")
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if "href" in attributes:
            self.links.append(attributes["href"])
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "table":
            self.tables += 1
        if attributes.get("role") == "region" and attributes.get("tabindex") == "0" and attributes.get("aria-label"):
            self.regions += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID or not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(data)


def main():
    page = Page()
    with open(sys.argv[1], encoding="utf-8") as file:
        page.feed(file.read())
    page.close()
    text = "".join(page.texts)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    checks = [
        ("every element is closed", not page.open, page.open),
        ("nothing is fetched or run", not page.faults, page.faults[:5]),
        ("the style fetches nothing", not re.search(r"url\(|@import", page.style), ""),
        ("the policy allows this style alone",
         f"default-src 'none'; style-src 'sha256-{digest}';" in page.policy, page.policy),
        ("ids are unique", len(set(page.ids)) == len(page.ids), [i for i in page.ids if page.ids.count(i) > 1][:5]),
        ("each link leads to a part of the page",
         all(link.startswith("#") and link[1:] in set(page.ids) for link in page.links),
         [link for link in page.links if link[1:] not in set(page.ids)][:5]),
        ("headings follow each other", page.headings[:1] == [1] and page.headings.count(1) == 1 and
         all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:])), page.headings[:20]),
        ("it has tables that the keyboard can move", page.regions > 5, page.regions),
    ]
    checks += [(f"it says {wanted!r}", wanted in text, "") for wanted in sys.argv[2:]]
    for sentence, is_so, why in checks:
        print(f"ok - {sentence}" if is_so else f"not ok - {sentence}: {why}")
    failed = sum(not is_so for _, is_so, _ in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
