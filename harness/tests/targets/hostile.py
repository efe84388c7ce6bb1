#!/usr/bin/env python3
"""A target that misbehaves in one way, and is else a good little engine for ocr:BankCard over stdio.

    hostile.py MODE [SCENARIO] [MARKER]

MODE names the way; `good` is none. What concerns a call happens in SCENARIO only (a prefix; "" is every one), so
that the scenarios around it show whether fincert goes on. MARKER is for whoever looks for left-over processes.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time

MODE = sys.argv[1]
SCENARIO = sys.argv[2] if len(sys.argv) > 2 else ""
OUT = sys.stdout.buffer
FILES = {}
CARD = {
    "type": "BankCard",
    "errorCode": 0,
    "description": "ok",
    "recogResult": {"cardNo": "6299901357246801357", "bankName": "样例银行", "bankId": "99010000", "cardType": "借记卡"},
}
HELLO = {
    "protocol": 1,
    "name": "hostile",
    "version": "1.0",
    "platform": "linux",
    "integration": "integrated",
    "callStyle": "promise",
    "capabilities": ["ocr:BankCard"],
    "human": False,
}
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x1b[2J\r\b\u202e"


def raw(data):
    OUT.write(data)
    OUT.flush()


def send(**message):
    raw(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode() + b"\n")


def err(text):
    sys.stderr.write(text)
    sys.stderr.flush()


def hang():
    while True:
        time.sleep(3600)


def answer(number, value):
    send(id=number, result={"via": "resolve", "value": value})


def text_of(number, value):
    """An answer whose value is written by hand."""
    return b'{"jsonrpc":"2.0","id":%d,"result":{"via":"resolve","value":%s}}\n' % (number, value)


def card(**more):
    return json.dumps({**CARD, **more}, ensure_ascii=False).encode()


def readable(request):
    picture = FILES.get(request.get("imagePath") if isinstance(request.get("imagePath"), str) else None, b"")
    return request.get("type") == "BankCard" and picture.startswith(b"\x89PNG") and picture.endswith(b"\xaeB`\x82")


def good(number, request):
    if readable(request):
        answer(number, CARD)
    else:
        fail = {"via": "reject", "value": {"errMsg": "finCardOcr:fail not a picture that can be read"}}
        send(id=number, error={"code": -32000, "message": "rejected", "data": fail})


def flood():
    while True:
        raw(b'{"jsonrpc":"2.0","method":"bridge.event","params":{"self":"x","type":"y","event":{}}}\n' * 50)


def flood_stderr():
    while True:
        os.write(2, b"the engine says something\n" * 100)


def leave_a_child():
    """A child of its own that keeps stderr open and would outlive everything."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", *sys.argv[3:]], stdout=subprocess.DEVNULL)


def many_values(text):
    """15 MiB of it."""
    return text * (15 * 1024 * 1024 // len(text))


def trouble(number, request):
    """The call, in the way that MODE says; what is not listed here is no trouble with calls."""
    if MODE == "exits":
        err("the engine gave up: \x1b[31m6299901357246801357\x1b[0m\n")
        os._exit(7)
    elif MODE == "crashes-on-hostile" and not readable(request):
        os.kill(os.getpid(), signal.SIGSEGV)
    elif MODE == "exits-in-half-a-line":
        raw(b'{"jsonrpc":"2.0","id":%d,"result":{"via":"resol' % number)
        os._exit(0)
    elif MODE == "closes-stdout":
        os.close(1)
        hang()
    elif MODE == "leaves-a-child":
        leave_a_child()
        os._exit(3)
    elif MODE == "hangs":
        hang()
    elif MODE == "hangs-on-hostile" and not readable(request):
        hang()
    elif MODE == "silent":
        pass
    elif MODE == "silent-and-floods-stderr":
        threading.Thread(target=flood_stderr, daemon=True).start()
    elif MODE == "floods":
        flood()
    elif MODE == "floods-stderr":
        for _ in range(20):
            os.write(2, b"the engine says something \x1b[31m\n" * 1000)
        os.write(2, b"a line without end " * 100_000 + b"\n")
        good(number, request)
    elif MODE == "rubbish":
        raw(b"INFO loading \x1b[31mmodels\x1b[0m of 6299901357246801357\n\n   \r\n")
        good(number, request)
        raw(b"\x00\x01\xfe\xff binary \x9b\n")
    elif MODE == "wrong-id":
        answer(number + 1000, CARD)
    elif MODE == "twice":
        good(number, request)
        good(number, request)
    elif MODE == "string-id":
        answer(str(number), CARD)
    elif MODE == "null-id":
        send(id=None, error={"code": -32700, "message": "what?" + ESCAPES})
    elif MODE == "huge-line":
        raw(b'{"jsonrpc":"2.0","id":%d,"result":{"via":"resolve","value":{"errMsg":"' % number)
        for _ in range(200):
            raw(b"x" * 1024 * 1024)
        raw(b'"}}}\n')
    elif MODE == "deep":
        raw(text_of(number, b"[" * 10_000 + b"]" * 10_000))
    elif MODE == "invalid-utf8":
        raw(text_of(number, card().replace("样".encode(), b"\xff\xfe")))
    elif MODE == "nan":
        raw(text_of(number, card(errorCode=float("nan"))))
    elif MODE == "duplicate-keys":
        raw(text_of(number, card().replace(b'"errorCode": 0', b'"errorCode": 1001, "errorCode": 0')))
    elif MODE == "batch":
        raw(b"[" + text_of(number, card()).strip() + b"]\n")
    elif MODE == "no-via":
        send(id=number, result=CARD)
    elif MODE == "result-and-error":
        send(id=number, result={"via": "resolve", "value": CARD}, error={"code": 1, "message": ESCAPES})
    elif MODE == "requests":
        send(id=7, method="\x1b[31mfincert.please", params={})
        good(number, request)
    elif MODE == "refuses":
        send(id=number, error={"code": -32603, "message": "cannot" + ESCAPES})
    elif MODE == "hostile-values":
        answer(number, {**CARD, ESCAPES: ESCAPES, "description": ESCAPES, "futureField": [ESCAPES] * 3})
    elif MODE == "big-text":
        raw(text_of(number, card(description="x" * (15 * 1024 * 1024))))
    elif MODE == "big-controls":
        raw(text_of(number, card(description="").replace(b'"description": ""', b'"description": "%b"' % many_values(b"\x7f"))))
    elif MODE == "many-secrets":
        names = b",".join(b'"%08x"' % (place * 7919) for place in range(12_000))
        raw(text_of(number, card(name=0, zeta=0).replace(b'"name": 0', b'"name": [%b]' % names)
                    .replace(b'"zeta": 0', b'"zeta": "%b"' % many_values(b"some text "))))
    elif MODE == "big-list":
        raw(text_of(number, card(futureField=0).replace(b'Field": 0', b'Field": [' + many_values(b"0,") + b"0]")))
    elif MODE == "big-nest":
        row = b"[" + b",".join([b"0"] * 190) + b"]"
        table = b"[" + b",".join([row] * 190) + b"]"
        raw(text_of(number, card(futureField=0).replace(b'Field": 0', b'Field": [' + b",".join([table] * 190) + b"]")))
    elif MODE == "big-names":
        names = b",".join(b'"%06x"' % place for place in range(1_500_000))
        raw(text_of(number, card(name=0).replace(b'"name": 0', b'"name": [' + names + b"]")))
    elif MODE == "big-object":
        rows = b",".join(b'"%06x":0' % place for place in range(1_400_000))
        raw(text_of(number, card(futureField=0).replace(b'Field": 0', b'Field": {' + rows + b"}")))
    elif MODE == "late":
        time.sleep(2)
        good(number, request)
    else:
        good(number, request)


def hello(number):
    if MODE == "hangs-in-hello":
        err("still loading \x1b[31mmodels\n")
        hang()
    if MODE == "exits-in-hello":
        err("no licence found \x1b[31m\n")
        os._exit(5)
    if MODE == "rubbish-for-hello":
        raw(b"Usage: engine \x1b[31m--help\n")
        os._exit(1)
    if MODE == "hello-refused":
        send(id=number, error={"code": -32601, "message": "no such method" + ESCAPES})
        return
    said = dict(HELLO)
    if MODE == "hello-version":
        said["protocol"] = 2
    elif MODE == "hello-missing":
        del said["integration"]
    elif MODE == "hello-wrong-type":
        said["capabilities"] = "ocr:BankCard"
    elif MODE == "hello-not-an-object":
        said = "hello" + ESCAPES
    elif MODE == "hello-hostile":
        said["name"] = ESCAPES + "n" * 1024 * 1024
        said["version"] = "v" * 1024 * 1024 + ESCAPES
        said["platform"] = "linux\n[  1/99] ok    everything" + ESCAPES
        said["capabilities"] = ["ocr:BankCard"] + [ESCAPES + str(place) for place in range(10_000)]
    elif MODE == "unknown-capabilities":
        said["capabilities"] = ["ocr:Passport", "telepathy"]
    elif MODE == "floods-in-hello":
        flood()
    send(id=number, result=said)


def put(number, params):
    if MODE == "put-refused":
        return send(id=number, error={"code": -32602, "message": "no room" + ESCAPES})
    if MODE == "put-path-number":
        return send(id=number, result={"path": 17})
    path = f"/tmp/hostile/{len(FILES)}-{params['name']}"
    if MODE == "put-path-hostile":
        path = f"/tmp/{ESCAPES}{len(FILES)}" + "p" * 1024 * 1024
    FILES[path] = base64.b64decode(params["base64"]) if params.get("base64") is not None else b""
    return send(id=number, result={"path": path})


def main():
    if MODE == "exits-at-once":
        err("usage: give me a licence\n")
        sys.exit(2)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        number, method, params = message["id"], message["method"], message.get("params") or {}
        if method == "bridge.hello":
            hello(number)
        elif method == "bridge.ping":
            send(id=number, result={})
        elif method == "bridge.reset":
            if MODE == "exits-in-reset" and SCENARIO in FILES:
                os._exit(9)
            FILES.clear()
            send(id=number, result={})
        elif method == "bridge.putFile":
            put(number, params)
        elif method == "ft.finCardOcr":
            request = params["args"][0] if params.get("args") and isinstance(params["args"][0], dict) else {}
            scenario = params.get("scenario", "")
            if MODE == "exits-in-reset" and scenario.startswith(SCENARIO):
                FILES[SCENARIO] = b""
            (trouble if scenario.startswith(SCENARIO) else good)(number, request)
        else:
            send(id=number, error={"code": -32601, "message": f"no method {method}"})


try:
    main()
except (BrokenPipeError, KeyboardInterrupt):
    os._exit(0)
