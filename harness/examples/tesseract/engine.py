#!/usr/bin/env python3
"""A fincert target: finCardOcr by Tesseract, over the bridge on stdin and stdout.

This is what integrating an engine looks like from the vendor's side. The bridge is JSON-RPC 2.0, one object a
line; this file speaks it, finds and checks the picture, and answers as the JavaScript API would: through the
success or the fail callback, and then through complete. Recognition itself is in recognise.py.

    fincert certify --target 'stdio:python3 harness/examples/tesseract/engine.py' --profile ocr
"""

import base64
import binascii
import concurrent.futures
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading

try:
    import recognise
except ImportError as error:  # most often a python3 on the PATH that is not the one Pillow was installed for
    sys.exit(f"engine.py: {error}; install python3-pil, and run this with the python3 it belongs to")

NAME, VERSION, PROTOCOL = "fincert-example-tesseract", "0.1.0", 1
API = "finCardOcr"
DOCUMENTED = ("BankCard", "IDCard", "IDCardCheck", "BusiCert")

MAX_PICTURE = 20 * 1024 * 1024
MAX_LINE = 64 * 1024 * 1024   # a picture in Base64, with room to spare
MAX_FILL = 4 * 1024 ** 3
WORKERS = 2

PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
CALL_FAILED = -32000          # the bridge's code for "the API answered, and not with success"


class BridgeError(Exception):
    """A fault in the bridge's own messages, as opposed to a failed API call."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class ApiFail(Exception):
    """finCardOcr calls its fail callback, with this reason."""


# ── What goes out ─────────────────────────────────────────────────────────────────────────────────────────

class Output:
    """stdout belongs to the bridge, and two workers and the reader share it: whole lines, one at a time."""

    def __init__(self, stream):
        self.stream, self.lock = stream, threading.Lock()

    def send(self, *messages):
        with self.lock:
            for message in messages:
                self.stream.write(self.encode({"jsonrpc": "2.0", **message}) + b"\n")
            self.stream.flush()

    @staticmethod
    def encode(message):
        try:
            return json.dumps(message, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:  # half of a surrogate pair, echoed from a request's id: only \u escapes can carry it
            return json.dumps(message).encode("ascii")


# ── Files that fincert puts here ──────────────────────────────────────────────────────────────────────────

class Files:
    """A private directory. Every put makes a file of its own, so no scenario sees another one's picture."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="fincert-tesseract-")
        self.owners, self.count = {}, 0

    def put(self, params):
        name = params.get("name")
        if not isinstance(name, str):
            raise BridgeError(INVALID_PARAMS, "name must be a string")
        # The name is for people who look into the directory. It never chooses where a file goes.
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1])[-60:].lstrip(".") or "file"
        data, fill = params.get("base64"), params.get("fill")
        if (data is None) == (fill is None):
            raise BridgeError(INVALID_PARAMS, "give either base64 or fill")
        if fill is not None and not (type(fill) is int and 0 <= fill <= MAX_FILL):
            raise BridgeError(INVALID_PARAMS, f"fill must be an integer from 0 to {MAX_FILL}")
        if data is not None:
            try:
                data = base64.b64decode(data, validate=True)
            except (TypeError, ValueError, binascii.Error):
                raise BridgeError(INVALID_PARAMS, "base64 does not decode") from None
        self.count += 1
        path = os.path.join(self.root, f"{self.count:06d}-{safe}")
        with open(path, "xb") as file:
            if fill is None:
                file.write(data)
            else:
                file.truncate(fill)  # sparse: as long as it says, and no blocks behind it
        self.owners[path] = owner_of(params)
        return {"path": path}

    def reset(self, params):
        """Drop the files of one scenario; of all, if the message does not say which."""
        owner = owner_of(params)
        for path in [p for p, o in self.owners.items() if owner == (None, None) or o == owner]:
            del self.owners[path]
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
        return {}

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


def owner_of(params):
    run, scenario = params.get("run"), params.get("scenario")
    return (run if isinstance(run, str) else None, scenario if isinstance(scenario, str) else None)


# ── The API ───────────────────────────────────────────────────────────────────────────────────────────────

def fin_card_ocr(request):
    """The value for the success callback; ApiFail for the fail callback."""
    if not isinstance(request, dict):
        raise ApiFail("the argument must be an object")
    kind = request.get("type")
    # JavaScript values that JSON lacks arrive as objects such as {"$undefined": true}: not strings, so wrong here.
    if not isinstance(kind, str):
        raise ApiFail("type is missing or not a string")
    if kind not in DOCUMENTED:
        raise ApiFail("type is not one of " + ", ".join(DOCUMENTED))
    if kind not in recognise.DOCUMENTS:
        raise ApiFail(f"{kind} is not supported by this engine")
    data = load(request.get("imagePath"))
    try:
        code, description, result = recognise.recognise(kind, data)
    except recognise.BadPicture as error:
        raise ApiFail(f"imagePath {error}") from None
    except recognise.EngineTrouble as error:
        raise ApiFail(str(error)) from None
    value = {"type": kind, "errorCode": code, "description": description}
    if result is not None:
        value["recogResult"] = result
    value["errMsg"] = f"{API}:ok"
    return value


def load(path):
    """The bytes of a picture. The caller is not trusted: what it names may be a device, a pipe or a huge file.

    Messages say what is wrong but do not repeat the path, which may carry somebody's name.
    """
    if not isinstance(path, str):
        raise ApiFail("imagePath is missing or not a string")
    if not path.strip():
        raise ApiFail("imagePath is empty")
    if "\0" in path or not os.path.isabs(path):
        raise ApiFail("imagePath is not an absolute path")
    if ".." in path.split("/"):
        raise ApiFail("imagePath must not contain ..")
    try:
        # Look before opening, since opening is itself an act for some devices; then look again at what was opened,
        # without blocking, in case it was exchanged in between.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ApiFail("imagePath is not a regular file")
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ApiFail("imagePath is not a regular file")
            size = os.fstat(file.fileno()).st_size
            if size == 0:  # among them the pseudo-files under /proc, some of which wait when they are read
                raise ApiFail("imagePath is an empty file")
            if size > MAX_PICTURE:
                raise ApiFail("imagePath is larger than 20 MB")
            data = file.read(MAX_PICTURE + 1)
    except FileNotFoundError:
        raise ApiFail("imagePath does not exist") from None
    except (OSError, ValueError):
        raise ApiFail("imagePath cannot be read") from None
    if len(data) > MAX_PICTURE:  # it grew meanwhile
        raise ApiFail("imagePath is larger than 20 MB")
    return data


# ── The bridge ────────────────────────────────────────────────────────────────────────────────────────────

class Bridge:
    def __init__(self, output, files, pool):
        self.output, self.files, self.pool = output, files, pool

    def hello(self, _params):
        return {"protocol": PROTOCOL, "name": NAME, "version": VERSION,
                "platform": f"{sys.platform} python {sys.version_info.major}.{sys.version_info.minor}",
                "integration": "integrated", "callStyle": "callbacks", "human": False,
                # Only what it does. IDCardCheck is a documented type, but judging the quality of a photograph is
                # not what an OCR engine can do, and declaring it would mean answering "no risk" to everything.
                "capabilities": [f"ocr:{kind}" for kind in recognise.DOCUMENTS]}

    def line(self, raw):
        """One line from fincert. Whatever is in it, this returns."""
        try:
            message = json.loads(raw.decode("utf-8"), parse_constant=refuse)
        except (ValueError, RecursionError):  # not UTF-8, not JSON, NaN, a number of a million digits, too deep
            return self.error(None, PARSE_ERROR, "not one JSON object in UTF-8")
        identity = message.get("id") if isinstance(message, dict) else None
        if identity is not None and type(identity) not in (str, int):
            identity, message = None, None
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
            return self.error(identity, INVALID_REQUEST, "not a JSON-RPC 2.0 request")
        if "id" not in message:
            return None  # a notification: nothing that fincert sends without an id concerns an engine
        try:
            self.request(identity, message["method"], message.get("params") or {})
        except BridgeError as error:
            self.error(identity, error.code, str(error))
        except OSError as error:  # a full disk, for one
            self.error(identity, CALL_FAILED, error.strerror or "input/output error")
        return None

    def request(self, identity, method, params):
        if not isinstance(params, dict):
            raise BridgeError(INVALID_PARAMS, "params must be an object")
        # Files are handled here, in the order of the lines, so that a put is done before the call that uses it.
        answers = {"bridge.hello": self.hello, "bridge.ping": lambda _: {}, "bridge.putFile": self.files.put,
                   "bridge.reset": self.files.reset}
        if method in answers:
            self.output.send({"id": identity, "result": answers[method](params)})
        elif method == f"ft.{API}":
            args = params.get("args")
            if not isinstance(args, list):
                raise BridgeError(INVALID_PARAMS, "args must be an array")
            self.pool.submit(self.call, identity, args)
        else:
            raise BridgeError(UNKNOWN_METHOD, "unknown method")

    def call(self, identity, args):
        """Runs in a worker: one settlement, then complete with the same value. Nothing escapes without both."""
        try:
            value = fin_card_ocr(args[0] if args else None)
            settled = {"id": identity, "result": {"via": "success", "value": value}}
        except Exception as error:
            if isinstance(error, ApiFail):
                reason = str(error)
            else:  # a mistake of ours: the caller still gets an answer, the log gets the kind of mistake
                reason = "internal error"
                print(f"engine.py: {type(error).__name__} in {API}", file=sys.stderr, flush=True)
            value = {"errMsg": f"{API}:fail {reason}"}
            settled = {"id": identity, "error": {"code": CALL_FAILED, "message": value["errMsg"],
                                                 "data": {"via": "fail", "value": value}}}
        complete = {"method": "bridge.callback", "params": {"id": identity, "kind": "complete", "seq": 1, "value": value}}
        try:
            self.output.send(settled, complete)
        except (OSError, ValueError):
            pass  # fincert has gone; the reader will see the end of stdin

    def error(self, identity, code, message):
        self.output.send({"id": identity, "error": {"code": code, "message": message}})


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def lines(stream):
    """Lines of bounded length; one that is longer is dropped to its end and handed on as a line that cannot parse."""
    while True:
        raw = stream.readline(MAX_LINE)
        if not raw:
            return
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE)
            raw = b"a line that was too long"
        if raw.strip():
            yield raw


def tesseract_is_ready():
    try:
        done = subprocess.run(["tesseract", "--list-langs"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        return recognise.LANGUAGE in done.stdout.decode("utf-8", "replace").split()
    except (OSError, subprocess.TimeoutExpired):
        return False


def main():
    if not tesseract_is_ready():  # said before hello: a target that cannot work must not claim that it can
        sys.exit(f"engine.py: needs tesseract with the language {recognise.LANGUAGE} "
                 "(Debian: tesseract-ocr tesseract-ocr-chi-sim)")
    files = Files()

    def end(*_):  # at once: fincert has waited long enough if it sends this. A running tesseract ends by itself.
        files.close()
        os._exit(143)

    signal.signal(signal.SIGTERM, end)
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    bridge = Bridge(Output(sys.stdout.buffer), files, pool)
    try:
        for raw in lines(sys.stdin.buffer):
            bridge.line(raw)
        pool.shutdown(wait=True)  # the end of stdin: what was asked is still answered
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        files.close()


if __name__ == "__main__":
    main()
