"""Reads the reports in a folder with libraries of others, and says what they found there: one object of JSON."""

import json
import pathlib
import sys
import xml.etree.ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt

folder = pathlib.Path(sys.argv[1])


def junit():
    report = JUnitXml.fromfile(str(folder / "junit.xml"))
    told = {"tests": report.tests, "failures": report.failures, "errors": report.errors, "skipped": report.skipped}
    kinds = {Failure: "failures", Error: "errors", Skipped: "skipped"}
    counted = dict.fromkeys(told, 0)
    names = []
    for suite in report:
        for case in suite:
            counted["tests"] += 1
            for result in case.result:
                counted[kinds[type(result)]] += 1
                if isinstance(result, Failure):
                    names.append([case.classname, case.name])
    assert told == counted, (told, counted)
    return {**counted, "failed": names}


def markdown():
    text = (folder / "summary.md").read_text(encoding="utf-8")
    # CommonMark with tables. Raw HTML is let through, to be seen where there is any.
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    flat = [token for outer in tokens for token in [outer, *(outer.children or [])]]
    rows, cells = [], []
    for token in flat:
        if token.type == "tr_open":
            cells = []
        elif token.type in ("td_open", "th_open"):
            cells.append("")
        elif token.type == "tr_close":
            rows.append(len(cells))
    html = sorted({token.content.strip() for token in flat if token.type in ("html_block", "html_inline")})
    code = [token.content for token in flat if token.type == "code_inline"]
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    links = sorted({token.attrGet("href") or token.attrGet("src") for token in flat if token.type in ("link_open", "image")})
    return {"headings": headings, "columns": rows, "html": html, "code": code, "links": links}


def badge():
    root = xml.etree.ElementTree.parse(folder / "badge.svg").getroot()
    return {"root": root.tag, "texts": [text for element in root.iter() if (text := (element.text or "").strip())]}


print(json.dumps({"junit": junit(), "markdown": markdown(), "badge": badge()}, ensure_ascii=False))
