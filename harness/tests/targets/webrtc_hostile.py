#!/usr/bin/env python3
"""A target that misbehaves in one way, and is else the Node target: a real WebRTC stack behind fincert's agent.

    webrtc_hostile.py MODE [SCENARIO] [MARKER] [ELSEWHERE FILE]

It stands between fincert and `node harness/agent/node/node.mjs`, and spoils what passes. MODE names the way; `good` is
none. What concerns calls, events and packets happens in SCENARIO only (a prefix; "" is every one), so that the flows
around it show whether fincert goes on. MARKER is for whoever looks for left-over processes. ELSEWHERE is an address that
the mode `elsewhere` points fincert to; what fincert tells of itself is written to FILE.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

MODE = sys.argv[1]
SCENARIO = sys.argv[2] if len(sys.argv) > 2 else ""
AGENT = pathlib.Path(__file__).resolve().parents[2] / "agent" / "node" / "node.mjs"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x1b[2J\r\b\u202e"
MEGABYTE = 1024 * 1024
CREATE = "ft.webrtc.createRTCPeerConnection"
MEDIA = "ft.webrtc.mediaDevices.getUserMedia"
MAKE = ("RTCPeerConnection.createOffer", "RTCPeerConnection.createAnswer")
LOCAL, ADD, CLOSE = (f"RTCPeerConnection.{name}" for name in ("setLocalDescription", "addIceCandidate", "close"))


class Target:
    """Passes everything on, one lane at a time. A mode is a class that does one thing otherwise."""

    def __init__(self):
        self.node = subprocess.Popen(
            ["node", str(AGENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.lock = threading.RLock()
        # The requests by id; and what each mode wants to remember.
        self.asked = {}
        self.scenario = ""
        self.kept = {}

    def on(self):
        return self.scenario.startswith(SCENARIO)

    # What modes override. Each is called with the lock held.

    def request(self, message):
        self.ask(message)

    def answer(self, request, message):
        self.send(message)

    def event(self, message):
        self.send(message)

    def hello(self, said):
        pass

    # What modes use.

    def ask(self, message):
        self.node.stdin.write(json.dumps(message).encode() + b"\n")
        self.node.stdin.flush()

    def send(self, message):
        self.raw(json.dumps(message, ensure_ascii=False).encode(errors="surrogateescape") + b"\n")

    def raw(self, data):
        with self.lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def emit(self, this, kind, event):
        self.send({"jsonrpc": "2.0", "method": "bridge.event", "params": {"self": this, "type": kind, "event": event}})

    def resolve(self, number, value):
        self.send({"jsonrpc": "2.0", "id": number, "result": {"via": "resolve", "value": value}})

    # The two streams.

    def run(self):
        threading.Thread(target=self.hear, daemon=True).start()
        for line in sys.stdin.buffer:
            message = json.loads(line)
            with self.lock:
                params = message.get("params") or {}
                self.scenario = params.get("scenario", self.scenario)
                self.asked[message["id"]] = message
                if message["method"] == "bridge.reset":
                    self.kept = {}
                if self.on() and message["method"] != "bridge.hello":
                    self.request(message)
                else:
                    self.ask(message)
        self.node.stdin.close()
        self.node.wait()

    def hear(self):
        for line in self.node.stdout:
            message = json.loads(line)
            with self.lock:
                if message.get("method"):
                    (self.event if self.on() else self.send)(message)
                    continue
                request = self.asked.pop(message["id"])
                if request["method"] == "bridge.hello":
                    message["result"]["parallel"] = 1
                    self.hello(message["result"])
                (self.answer if self.on() else Target.answer.__get__(self))(request, message)
        os._exit(0)


MODES = {"good": Target}


def mode(name):
    def register(made):
        MODES[name] = made
        return made

    return register


class Spoiled(Target):
    """The value of one method's answer is changed; what the target gets back of it is what it gave."""

    methods = MAKE

    def spoil(self, value):
        return value

    def answer(self, request, message):
        if request["method"] in self.methods and "result" in message:
            value = message["result"].get("value")
            self.kept["real"] = json.loads(json.dumps(value))
            message["result"]["value"] = self.spoil(value)
        self.send(message)

    def request(self, message):
        if self.methods == MAKE and message["method"] == LOCAL and "real" in self.kept:
            message["params"]["args"] = [self.kept["real"]]
        self.ask(message)


def spoils(name, methods, change):
    MODES[name] = type(name, (Spoiled,), {"methods": methods, "spoil": lambda self, value: change(value)})


def sdp(name, change):
    """The SDP of offer and answer; and the property localDescription says the same."""

    def answer(self, request, message):
        if request["method"] == "bridge.get" and request["params"]["name"] == "localDescription":
            value = message.get("result", {}).get("value")
            if isinstance(value, dict) and isinstance(value.get("sdp"), str):
                value["sdp"] = change(value["sdp"])
        Spoiled.answer(self, request, message)

    spoil = lambda self, value: {**value, "sdp": change(value["sdp"])}
    MODES[name] = type(name, (Spoiled,), {"spoil": spoil, "answer": answer})


M_LINE = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:x%d\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"
sdp("sdp-ten-megabytes", lambda text: text + "a=x-padding:0123456789abcdef\r\n" * 360_000)
sdp("sdp-m-lines", lambda text: text + "".join(M_LINE % place for place in range(10_000)))
sdp("sdp-long-line", lambda text: text.replace("s=-", "s=" + "-" * MEGABYTE, 1))
sdp("sdp-nul", lambda text: text.replace("\r\n", "\0\r\n\0", 3))
sdp("sdp-not-utf8", lambda text: text.replace("s=-", "s=\udcff\udcfe\udc80"))
sdp("sdp-escapes", lambda text: text.replace("s=-", "s=" + ESCAPES) + "a=" + ESCAPES + "\r\n")
sdp("sdp-nothing-but-feeds", lambda text: "\n" * MEGABYTE)
sdp("sdp-candidates", lambda text: text + "".join(
    f"a=candidate:{n} 1 udp {n} 127.0.0.1 {1024 + n} typ host\r\n" for n in range(4_000)))
sdp("sdp-payload-types", lambda text: text.replace(" 111 ", " 111 " + " ".join(str(n) for n in range(40_000)) + " ", 1))
sdp("sdp-fmtp", lambda text: text + "".join(f"a=fmtp:111 a{n}={n}\r\na=rtpmap:111 x{n}/1\r\n" for n in range(3_000)))
spoils("description-is-a-string", MAKE, lambda value: value["sdp"])
spoils("description-is-a-number", MAKE, lambda value: 17)
spoils("description-is-a-list", MAKE, lambda value: [value] * 1_000)
spoils("sdp-is-a-handle", MAKE, lambda value: {"type": "offer", "sdp": {"$handle": "pc-1", "$class": "RTCPeerConnection"}})
spoils("description-is-a-handle", MAKE, lambda value: {"$handle": "pc-1", "$class": "RTCPeerConnection"})
spoils("type-is-hostile", MAKE, lambda value: {**value, "type": ESCAPES + "offer" * MEGABYTE})
spoils("handle-of-a-megabyte", [CREATE], lambda value: {**value, "$handle": "pc" * (MEGABYTE // 2)})
spoils("handle-is-a-list", [CREATE], lambda value: {**value, "$handle": ["pc-1"]})
spoils("handle-is-empty", [CREATE], lambda value: {**value, "$handle": ""})
spoils("class-of-a-megabyte", [CREATE], lambda value: {**value, "$class": "RTC" * MEGABYTE, "own": ["x" * MEGABYTE] * 8})
spoils("tracks-by-thousands", ["MediaStream.getTracks"], lambda value: [
    {**value[0], "$handle": f"track-{n}", "props": {"kind": "audio", "id": ESCAPES}} for n in range(5_000)])
spoils("stream-is-a-connection", [MEDIA], lambda value: {"$handle": "pc-1", "$class": "RTCPeerConnection"})
spoils("track-is-a-connection", ["MediaStream.getTracks"], lambda value: [{**value[0], "$handle": "pc-1"}])


class Silent(Target):
    """Never answers a method."""

    def request(self, message):
        if message["method"] not in self.methods:
            self.ask(message)


def silent(name, *methods):
    MODES[name] = type(name, (Silent,), {"methods": methods})


silent("silent-create", CREATE)
silent("silent-make", *MAKE)
silent("silent-local", LOCAL)
silent("silent-candidate", ADD)
silent("silent-close", CLOSE)
silent("silent-get", "bridge.get")
silent("silent-listen", "bridge.listen")
silent("silent-reset", "bridge.reset")


@mode("hangs-after-a-hostile-type")
class HangsAfterAHostileType(Spoiled):
    """The last thing that fincert passed on is the target's own text; then nothing comes any more."""

    def spoil(self, value):
        return {**value, "type": ESCAPES + "offer" * 1_000}

    def request(self, message):
        if message["method"] == LOCAL:
            while True:
                time.sleep(3600)
        self.ask(message)


@mode("exits-in-a-call")
class ExitsInACall(Target):
    def request(self, message):
        if message["method"] == ADD:
            os._exit(7)
        self.ask(message)


class Candidates(Target):
    """Each event icecandidate brings others with it, from a connection's first on."""

    replace = False

    def texts(self):
        return []

    def event(self, message):
        params = message["params"]
        if params["type"] != "icecandidate" or params["self"] in self.kept:
            if not (self.replace and params["type"] == "icecandidate"):
                self.send(message)
            return
        self.kept[params["self"]] = True
        for candidate in self.texts():
            self.emit(params["self"], "icecandidate", {"candidate": candidate})
        if not self.replace:
            self.send(message)


def candidates(name, made, replace=False):
    MODES[name] = type(name, (Candidates,), {"texts": lambda self: made(), "replace": replace})


def candidate(address, port=9, foundation="1", protocol="udp", rest=""):
    text = f"candidate:{foundation} 1 {protocol} 2130706431 {address} {port} typ host{rest}"
    # The name of an m-line depends on who offers; its place does not.
    return {"candidate": text, "sdpMLineIndex": 0, "address": address, "type": "host"}


FOREIGN = [
    # RFC 5737 and RFC 3849: for documentation. RFC 1918 and RFC 4193: a network of somebody's. RFC 3927: link local.
    *(candidate(address) for address in (
        "198.51.100.1", "10.231.77.3", "192.168.254.77", "169.254.169.254", "2001:db8::1", "fd00:dead::7",
        "::ffff:198.51.100.1", "0.0.0.0", "255.255.255.255", "224.0.0.251", "ff02::fb")),
    *(candidate(name) for name in ("7d2c4e11.local", "evil.example", "localhost", "127.0.0.1.evil.example", "0x7f000001")),
    *(candidate(address, protocol="tcp", rest=" tcptype passive") for address in ("198.51.100.1", "127.0.0.1")),
    *(candidate(address, protocol="ssltcp") for address in ("198.51.100.1", "127.0.0.1")),
]
NONSENSE = [
    17, "candidate:1 1 udp 1 127.0.0.1 9 typ host", [], ["candidate"], {"candidate": 17}, {"candidate": ["x"]},
    {"candidate": {"$handle": "pc-1"}}, {"candidate": "candidate:"}, {"candidate": "x" * MEGABYTE},
    {"candidate": ESCAPES}, {"candidate": "candidate:" + "9" * 500 + " 1 udp 1 127.0.0.1 9 typ host"},
    {**candidate("127.0.0.1"), "sdpMid": "m" * MEGABYTE}, {**candidate("127.0.0.1"), "sdpMid": 7},
    {**candidate("127.0.0.1"), "sdpMLineIndex": -1}, {**candidate("127.0.0.1"), "sdpMLineIndex": 10**18},
    {**candidate("127.0.0.1"), "usernameFragment": "u" * MEGABYTE}, candidate("127.0.0.1", port=0),
    candidate("127.0.0.1", port=70_000), candidate("127.0.0.1", rest=" x\r\na=ice-pwd:other"),
    candidate("127.0.0.1", rest=" raddr 198.51.100.1 rport 9"), candidate("\0"), candidate("127.0.0.1", port=" "),
]
candidates("candidates-foreign", lambda: FOREIGN)
candidates("candidates-foreign-alone", lambda: FOREIGN, replace=True)
candidates("candidates-nonsense", lambda: NONSENSE)
candidates("candidates-500", lambda: [candidate("127.0.0.1", 1024 + n, str(n)) for n in range(500)])
candidates("candidates-5000", lambda: [candidate("127.0.0.1", 1024 + n, str(n)) for n in range(5_000)])
candidates("events-large", lambda: [{**candidate("127.0.0.1"), "padding": "x" * (14 * MEGABYTE)} for _ in range(4)])
candidates("events-of-many-values", lambda: [{**candidate("127.0.0.1"), "padding": ["x"] * 90_000} for _ in range(12)])


@mode("elsewhere")
class Elsewhere(Target):
    """Names another machine wherever an address can stand, and its own nowhere; nor does it learn of fincert's."""

    def __init__(self):
        super().__init__()
        self.where, self.file = sys.argv[4:6]
        # What fincert told: user fragment, password, and the one of ours.
        self.said = {}

    def answer(self, request, message):
        if request["method"] in MAKE and "result" in message:
            value = message["result"]["value"]
            self.kept["real"] = dict(value)
            self.said["theirs"] = attribute(value["sdp"], "ice-ufrag")
            text = value["sdp"].replace("c=IN IP4 0.0.0.0", f"c=IN IP4 {self.where}").replace("m=audio 9 ", "m=audio 7001 ")
            head, middle, tail = text.partition("a=ice-ufrag:")
            value["sdp"] = head + f"a=candidate:7 1 udp 2130706431 {self.where} 7002 typ host\r\n" + middle + tail
        self.send(message)

    def request(self, message):
        args = message["params"].get("args") or [None]
        if message["method"] == LOCAL and "real" in self.kept:
            message["params"]["args"] = [self.kept["real"]]
        if message["method"] == "RTCPeerConnection.setRemoteDescription":
            self.said.update({name: attribute(args[0]["sdp"], f"ice-{name}") for name in ("ufrag", "pwd")})
        if message["method"] != ADD:
            return self.ask(message)
        if args[0] and args[0].get("candidate"):
            with open(self.file, "a", encoding="utf-8") as file:
                file.write(json.dumps({**self.said, "candidate": args[0]["candidate"]}) + "\n")
        return self.send({"jsonrpc": "2.0", "id": message["id"], "result": {"via": "resolve"}})

    def event(self, message):
        this = message["params"]["self"]
        if message["params"]["type"] != "icecandidate":
            return self.send(message)
        if this not in self.kept:
            self.kept[this] = True
            reflexive = candidate("127.0.0.1", 9, rest=f" raddr {self.where} rport 7004")
            reflexive["candidate"] = reflexive["candidate"].replace("typ host", "typ srflx")
            for told in (candidate(self.where, 7003), candidate(self.where, 7005, protocol="tcp", rest=" tcptype passive"),
                         reflexive, *FOREIGN):
                self.emit(this, "icecandidate", {"candidate": told})
        return None


def attribute(text, name):
    return text.split(f"\r\na={name}:", 1)[1].split("\r\n", 1)[0]


class Beside(Target):
    """Sends more beside each answer of a method."""

    methods = ()

    def more(self, request, message):
        pass

    def answer(self, request, message):
        self.send(message)
        if request["method"] in self.methods:
            self.more(request, message)


def beside(name, methods, more):
    MODES[name] = type(name, (Beside,), {"methods": methods, "more": lambda self, *passed: more(self, *passed)})


def strangers(self, request, message):
    for this in ("pc-999", "", "x" * MEGABYTE, ESCAPES, "track-1"):
        for kind in ("icecandidate", "track", "signalingstatechange", "nobody-listens", ESCAPES, "k" * MEGABYTE):
            self.emit(this, kind, {"candidate": candidate("198.51.100.1"), "streams": [{"streamId": ESCAPES}]})
    this = request["params"]["self"]
    for event in (None, 17, "text", [], {"streams": "x"}, {"streams": [None]}, {"$handle": "pc-1"}, {ESCAPES: ESCAPES}):
        self.emit(this, "track", event)
    self.send({"jsonrpc": "2.0", "method": "bridge.event", "params": {"self": 17, "type": [], "event": {}}})
    self.send({"jsonrpc": "2.0", "method": "bridge.event", "params": None})
    self.raw(b'{"jsonrpc":"2.0","method":"bridge.event","params":{"self":"%b","type":"track","event":%b}}\n'
             % (this.encode(), b'{"a":' * 500 + b"1" + b"}" * 500))


def late(self, request, message):
    this = request["params"]["self"]
    for state in ("checking", "connected", "new", "nonsense"):
        self.emit(this, "iceconnectionstatechange", {"iceConnectionState": state, "timeStamp": 1})
    self.emit(this, "icecandidate", {"candidate": candidate("127.0.0.1")})
    self.emit(this, "track", {"streams": [{"streamId": "late"}]})


beside("events-of-strangers", MAKE, strangers)
beside("events-after-close", [CLOSE], late)
AGAIN = {"create": [CREATE], "make": MAKE, "local": [LOCAL], "get": ["bridge.get"], "reset": ["bridge.reset"]}
for name, methods in AGAIN.items():
    beside(f"twice-{name}", methods, lambda self, request, message: self.send(message))


@mode("made-after-close")
class MadeAfterClose(Target):
    """The description comes when the connection was closed."""

    def answer(self, request, message):
        if request["method"] in MAKE:
            self.kept["late"] = message
            return
        self.send(message)
        if request["method"] == CLOSE and "late" in self.kept:
            self.send(self.kept.pop("late"))


@mode("made-anew")
class MadeAnew(Target):
    """A second answer tells of another description."""

    def answer(self, request, message):
        self.send(message)
        if request["method"] in MAKE:
            self.resolve(message["id"], {"type": "offer", "sdp": "x" * (10 * MEGABYTE)})


@mode("handle-reused")
class HandleReused(Target):
    """Every connection is pc-1 to fincert, and a new one at the target."""

    def answer(self, request, message):
        if request["method"] == CREATE:
            value = message["result"]["value"]
            self.kept["real"] = value["$handle"]
            value["$handle"] = "pc-1"
        self.send(message)

    def request(self, message):
        if message["params"].get("self") == "pc-1":
            message["params"]["self"] = self.kept["real"]
        self.ask(message)

    def event(self, message):
        message["params"]["self"] = "pc-1"
        self.send(message)


class Get(Target):
    """One property is something else."""

    def answer(self, request, message):
        if request["method"] == "bridge.get" and request["params"]["name"] == self.name:
            message = {"jsonrpc": "2.0", "id": message["id"], **self.reply}
        self.send(message)


def get(title, name, value=None, **reply):
    MODES[title] = type(title, (Get,), {"name": name, "reply": reply or {"result": {"value": value}}})


get("property-of-ten-megabytes", "currentRemoteDescription", {"type": "offer", "sdp": "v=0\r\n" * (2 * MEGABYTE)})
get("property-hostile", "signalingState", {ESCAPES: ESCAPES, "toString": ESCAPES})
get("property-without-value", "signalingState", result={})
get("property-is-a-list", "signalingState", result=["stable"])
get("property-refused", "signalingState", error={"code": -32000, "message": ESCAPES * 1_000, "data": {"via": "throw", "value": {"name": ESCAPES, "message": ESCAPES * 10_000}}})
get("state-of-a-megabyte", "iceConnectionState", ESCAPES * (MEGABYTE // 20))


@mode("rejects-hostile")
class RejectsHostile(Target):
    def request(self, message):
        if message["method"] == ADD:
            value = {"name": ESCAPES, "message": ESCAPES * 1_000, "stack": "x" * MEGABYTE, ESCAPES: [ESCAPES] * 1_000}
            data = {"via": "reject", "value": value}
            self.send({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32000, "message": ESCAPES, "data": data}})
        else:
            self.ask(message)


@mode("listen-throws")
class ListenThrows(Target):
    def request(self, message):
        if message["method"] == "bridge.listen":
            data = {"via": "throw", "value": {"name": ESCAPES, "message": ESCAPES * 10_000}}
            self.send({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32000, "message": ESCAPES, "data": data}})
        else:
            self.ask(message)


@mode("parallel-without-end")
class ParallelWithoutEnd(Target):
    def hello(self, said):
        said["parallel"] = 2**32 - 1


@mode("parallel-none")
class ParallelNone(Target):
    def hello(self, said):
        said["parallel"] = 0


class Datagrams(Target):
    """Sends datagrams to the ports that fincert told, from ports that it was never told of."""

    count = 0

    def request(self, message):
        self.ask(message)
        told = message["params"]["args"][0] if message["method"] == ADD else None
        words = (told or {}).get("candidate", "").split(" ")
        if len(words) > 5:
            threading.Thread(target=self.pour, args=((words[4], int(words[5])),), daemon=True).start()

    def pour(self, to):
        family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        # A port each thousand: each could become a candidate of its own.
        for port in range(self.count // 1_000):
            with socket.socket(family, socket.SOCK_DGRAM) as end:
                for place in range(1_000):
                    try:
                        end.sendto(self.datagram(port * 1_000 + place), to)
                    except OSError:
                        return

    def datagram(self, place):
        return b""


def rtp(place):
    """RFC 3550 section 5.1, not encrypted, an SSRC each hundred packets."""
    head = b"\x80" + bytes([96 + place % 16]) + (place % 65536).to_bytes(2, "big")
    return head + place.to_bytes(4, "big") + (place // 100).to_bytes(4, "big") + b"\xaa" * 1_000


def stump(place):
    """What RFC 7983 section 7 tells apart by the first byte, cut off at any length, and what it does not know."""
    first = (0, 1, 3, 4, 20, 22, 23, 63, 64, 79, 80, 127, 128, 143, 191, 200, 255)[place % 17]
    body = place.to_bytes(8, "big") * 200
    return bytes([first]) + body[: (0, 1, 3, 7, 11, 12, 19, 20, 64, 300, 1_500)[place // 17 % 11]]


def stun(place):
    """A Binding request (RFC 8489 section 6) with a user name that nobody has, and no integrity."""
    name = b"nobody:%08d" % place
    padded = name + b"\0" * (-len(name) % 4)
    user = b"\x00\x06" + len(name).to_bytes(2, "big") + padded
    controlling = b"\x80\x2a\x00\x08" + place.to_bytes(8, "big") + b"\x00\x25\x00\x00\x00\x24\x00\x04\x7f\xff\xff\xff"
    body = user + controlling
    return b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + place.to_bytes(12, "big") + body


for title, made in (("flood-of-rtp", rtp), ("flood-of-stumps", stump), ("flood-of-stun", stun)):
    MODES[title] = type(title, (Datagrams,), {"count": 100_000, "datagram": lambda self, place, made=made: made(place)})

class Between(Target):
    """Every packet of the call goes by way of this program, which has something to add to those that go to fincert."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def open(self):
        """One socket for each of the two to talk to, anew for each connection."""
        for end in self.ends:
            end.close()
        self.ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        # The address of fincert, and of the stack; each is learnt from what it sends.
        self.seen = {}
        for end in self.ends:
            end.bind(("127.0.0.1", 0))
        for index in (0, 1):
            threading.Thread(target=self.carry, args=(index, list(self.ends)), daemon=True).start()

    def carry(self, index, ends):
        place = 0
        while True:
            try:
                packet, self.seen[index] = ends[index].recvfrom(2_048)
                to = self.seen.get(1 - index)
                if to is None:
                    continue
                for datagram in [packet] if index == 0 else self.beside(packet, place):
                    ends[1 - index].sendto(datagram, to)
                place += 1
            except OSError:
                return

    def beside(self, packet, place):
        return [packet]

    def through(self, told, index):
        """A candidate that leads here; of several one is enough. The far end of it is known from then on."""
        words = told["candidate"].split(" ")
        if words[4] != "127.0.0.1" or words[2].lower() != "udp":
            return None
        self.seen.setdefault(1 - index, ("127.0.0.1", int(words[5])))
        words[5] = str(self.ends[index].getsockname()[1])
        return {**told, "candidate": " ".join(words)}

    def request(self, message):
        args = message["params"].get("args") or [None]
        if message["method"] == CREATE:
            self.open()
        if message["method"] == ADD and args[0] and args[0].get("candidate"):
            changed = self.through(args[0], 1)
            if changed is None:
                return self.send({"jsonrpc": "2.0", "id": message["id"], "result": {"via": "resolve"}})
            message["params"]["args"] = [changed]
        return self.ask(message)

    def event(self, message):
        told = message["params"]["event"].get("candidate")
        if message["params"]["type"] == "icecandidate" and told and told.get("candidate"):
            changed = self.through(told, 0)
            if changed is None:
                return
            message["params"]["event"]["candidate"] = changed
        self.send(message)


def is_media(packet):
    return 128 <= packet[0] <= 191


def damaged(packet, place):
    """One packet of the call, damaged in many ways; as SRTP all of them fail their authentication, if they get so far."""
    yield from (packet[:length] for length in (1, 2, 3, 4, 8, 11, 12, 13, 20, len(packet) // 2, len(packet) - 1))
    # No CSRC where 15 are announced; an extension that is longer than the packet; more padding than there is packet.
    yield bytes([packet[0] | 0x0F]) + packet[1:]
    yield bytes([packet[0] | 0x10]) + packet[1:12] + b"\xbe\xde\xff\xff" + packet[12:]
    yield bytes([packet[0] | 0x20]) + packet[1:-1] + b"\xff"
    # Another version, and every payload type in turn, those of RTCP among them.
    yield bytes([packet[0] ^ 0x40]) + packet[1:]
    yield packet[:1] + bytes([place % 256]) + packet[2:]
    # Another sequence number, time and SSRC; a bit that fell over; too much at the end.
    yield packet[:2] + (place * 7919 % 65536).to_bytes(2, "big") + packet[4:]
    yield packet[:8] + place.to_bytes(4, "big") + packet[12:]
    at = place % len(packet)
    yield packet[:at] + bytes([packet[at] ^ 0x10]) + packet[at + 1 :]
    yield packet + bytes(range(256)) * 5
    yield packet


def between(name, beside):
    MODES[name] = type(name, (Between,), {"beside": lambda self, packet, place: beside(packet, place)})


between("media-replayed", lambda packet, place: [packet] * (300 if is_media(packet) else 1))
between("media-damaged", lambda packet, place: damaged(packet, place) if is_media(packet) else [packet])
between("all-damaged", damaged)
between("media-lost", lambda packet, place: [packet] if place % 3 or not is_media(packet) else [])

if __name__ == "__main__":
    try:
        MODES[MODE]().run()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)
