#!/usr/bin/env python3
"""Tells of every frame that comes over an interface, a line of JSON each; and asks to be answered, if it is told to.

    webrtc_listener.py INTERFACE ADDRESS [FILE]

The first line is `{"ready": true}`. What belongs to the link alone is left out: IPv6 looking for routers, groups and
duplicates of its own address. FILE gets lines of what a peer told of itself (webrtc_hostile.py, `elsewhere`); from the
port 7006 of ADDRESS each of its candidates that is reachable is sent STUN Binding requests with the right credentials.
"""

import hashlib
import hmac
import json
import os
import select
import socket
import sys
import time
import zlib

COOKIE = bytes.fromhex("2112a442")
EVERY_S = 0.05


def say(**what):
    print(json.dumps(what), flush=True)


def describe(frame):
    """What a frame is, or None."""
    kind, body = int.from_bytes(frame[12:14], "big"), frame[14:]
    if kind == 0x0806:
        # RFC 826: 1 asks, 2 answers.
        return {"is": "arp-request" if body[7] == 1 else "arp-reply", "to": socket.inet_ntoa(body[24:28])}
    if kind == 0x86DD:
        mine = socket.inet_ntop(socket.AF_INET6, body[24:40])
        told = body[40:41]
        of_the_link = body[6] == 0 or (body[6] == 58 and (told in (b"\x85", b"\x8f") or body[8:24] == bytes(16)))
        return None if of_the_link else {"is": f"ipv6-{body[6]}", "to": mine}
    if kind != 0x0800:
        return {"is": f"ethertype-{kind:04x}"}
    length = (body[0] & 15) * 4
    told, to = body[length:], socket.inet_ntoa(body[16:20])
    if body[9] == 1:
        return {"is": "icmp", "to": to}
    if body[9] != 17:
        return {"is": "tcp" if body[9] == 6 else f"ip-{body[9]}", "to": to, "port": int.from_bytes(told[2:4], "big")}
    what, port = "udp", int.from_bytes(told[2:4], "big")
    if told[12:16] == COOKIE:
        what = {0x0001: "stun-request", 0x0101: "stun-success", 0x0111: "stun-error"}.get(int.from_bytes(told[8:10], "big"), "stun")
    return {"is": what, "to": to, "port": port}


def attribute(kind, value):
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def request(said):
    """A Binding request as the controlling end of ICE sends it (RFC 8445 section 7.1, RFC 8489 section 14)."""
    body = attribute(0x0006, f"{said['ufrag']}:{said['theirs']}".encode())
    body += attribute(0x0024, (1_853_824_767).to_bytes(4, "big")) + attribute(0x802A, os.urandom(8)) + attribute(0x0025, b"")
    identity = COOKIE + os.urandom(12)
    # The length counts the attribute that is being computed (sections 14.5 and 14.7).
    head = lambda more: b"\x00\x01" + (len(body) + more).to_bytes(2, "big") + identity
    body += attribute(0x0008, hmac.new(said["pwd"].encode(), head(24) + body, hashlib.sha1).digest())
    body += attribute(0x8028, (zlib.crc32(head(8) + body) ^ 0x5354554E).to_bytes(4, "big"))
    return head(0) + body


def main():
    interface, address = sys.argv[1:3]
    file = sys.argv[3] if len(sys.argv) > 3 else None
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.bind((address, 7006))
    say(ready=True)
    due = time.monotonic()
    while True:
        readable, _, _ = select.select([wire, asking], [], [], EVERY_S)
        if asking in readable:
            asking.recv(2_048)
        if wire in readable:
            frame, whence = wire.recvfrom(65_535)
            told = describe(frame) if whence[2] != socket.PACKET_OUTGOING else None
            if told:
                say(**told)
        if file and time.monotonic() >= due:
            due = time.monotonic() + EVERY_S
            for line in open(file, encoding="utf-8").read().splitlines() if os.path.exists(file) else []:
                said = json.loads(line)
                words = said["candidate"].split(" ")
                if words[4].startswith(address.rsplit(".", 1)[0] + "."):
                    asking.sendto(request(said), (words[4], int(words[5])))


main()
