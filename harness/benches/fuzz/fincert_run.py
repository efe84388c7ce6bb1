"""Runs fincert's own fuzzing against the mock host, clean and with each defect, and counts what it finds."""

import json
import os
import pathlib
import subprocess
import sys
import time

FINCERT, ROOM = sys.argv[1], pathlib.Path(sys.argv[2])
CASES, SEED = int(os.environ.get("CASES", "500")), os.environ.get("SEED", "1")
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


def run(defect):
    # The 1,000th call cannot be found in fewer.
    cases = max(CASES, 1100) if defect == "silent-thousandth-call" else CASES
    report = ROOM / f"fincert-{defect or 'clean'}.json"
    command = [FINCERT, "certify", "--target", "mock", "--filter", "ocr.fuzz", "--fuzz", str(cases), "--seed", SEED,
               "--record", str(ROOM / "fincert.jsonl"), "--report", f"json={report}"]
    began = time.monotonic()
    ran = subprocess.run(command + (["--defect", defect] if defect else []), capture_output=True, text=True, timeout=900)
    seconds = time.monotonic() - began
    if ran.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {ran.returncode}\n{ran.stderr}")
    found = [failure for summary in json.loads(report.read_text())["judgement"].get("fuzz", []) for failure in summary.get("failures", [])]
    return cases, seconds, found


cases, seconds, accused = run(None)
print(f"clean host: {cases} cases in {seconds:.1f} s, accused of {len(accused)}")
kinds, found = set(), 0
for defect in DEFECTS:
    cases, seconds, failures = run(defect)
    found += bool(failures)
    first = min((failure["case"]["index"] for failure in failures), default=None)
    keys = sorted({failure["cause"] for failure in failures})
    kinds.add(tuple(keys))
    calls = [(failure.get("shrunk") or {}).get("calls", 0) for failure in failures]
    smallest = failures[0]["requests"][-1] if failures and failures[0]["requests"] else ""
    print(f"{defect:26} {cases:5} cases, {seconds:6.1f} s, case {first}, {calls} calls to shrink, {keys} {smallest[:90]}")
print(f"found {found} of {len(DEFECTS)}, told apart {len(kinds - {()})}")
