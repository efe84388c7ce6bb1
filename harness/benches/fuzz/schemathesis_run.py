"""Runs Schemathesis against the mock host, clean and with each defect, and counts what it finds."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

FINCERT, ROOM = sys.argv[1], pathlib.Path(sys.argv[2])
HERE = pathlib.Path(__file__).parent
EXAMPLES, SEED = os.environ.get("EXAMPLES", "100"), os.environ.get("SEED", "1")
# The eight kinds of the comparison; each shows over HTTP.
DEFECTS = [
    "crash-on-long-path",
    "hang-on-empty-string",
    "short-type-accepted",
    "cesu-8-in-error",
    "integers-as-doubles",
    "leaks-other-result",
    "silent-thousandth-call",
    "follows-dot-dot",
]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,refused"
)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def document(url, defect):
    """The OpenAPI document without the wishes: they choose the answer, and nothing of the API."""
    whole = get(f"{url}/openapi.json")
    for path in whole["paths"].values():
        path["post"]["parameters"] = []
    file = ROOM / f"openapi-{defect or 'clean'}.json"
    file.write_text(json.dumps(whole))
    return file


def run(defect):
    command = [FINCERT, "mock", "--listen", "127.0.0.1:0"] + (["--defect", defect] if defect else [])
    host = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = host.stdout.readline().strip()
        report = ROOM / f"schemathesis-{defect or 'clean'}.ndjson"
        env = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
        began = time.monotonic()
        ran = subprocess.run(
            [ROOM / "venv/bin/st", "run", document(url, defect), "--url", url, "--include-path", "/ft/finCardOcr",
             "--max-examples", EXAMPLES, "--seed", SEED, "--checks", CHECKS, "--request-timeout", "2", "--no-color",
             "--workers", "1", "--continue-on-failure", "--report", "ndjson", "--report-ndjson-path", report],
            capture_output=True, text=True, env=env, cwd=ROOM, timeout=900)
        seconds = time.monotonic() - began
        (ROOM / f"schemathesis-{defect or 'clean'}.txt").write_text(ran.stdout + ran.stderr)
        journal = get(f"{url}/journal")
        requests = journal[-1]["number"] if journal else 0
        first = next((entry["number"] for entry in journal if entry["answered"].get("shown")), None)
        return requests, first, journal[0]["number"] if journal else 0, seconds, failures(ran.stdout)
    finally:
        host.terminate()
        host.wait()


def failures(text):
    """The titles of the failures and errors that Schemathesis tells apart."""
    body = text.split("=== SUMMARY ===")[0]
    failed = re.findall(r"^\s*- (.+)$", body, re.MULTILINE)
    errors = re.findall(r"^(Network Error|Runtime Error|Schema Error)$", body, re.MULTILINE)
    return sorted({title.strip() for title in failed + errors})


clean = run(None)
print(f"clean host: {clean[0]} requests in {clean[3]:.1f} s, accused of {clean[4]}")
kinds = {}
for defect in DEFECTS:
    requests, first, kept, seconds, found = run(defect)
    new = [title for title in found if title not in clean[4]]
    shown = f"at request {first}" if first else ("never" if kept <= 1 else f"not within the last {requests - kept + 1}")
    print(f"{defect:26} {requests:5} requests, {requests / seconds:6.1f}/s, {seconds:6.1f} s, shown {shown}, found {new}")
    if new:
        kinds.setdefault(tuple(new), []).append(defect)
found = sum(len(names) for names in kinds.values())
print(f"found {found} of {len(DEFECTS)}, told apart {len(kinds)}")
