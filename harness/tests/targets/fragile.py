"""A stdio target that recognises every picture as a bank card, and is fragile.

It exits when imagePath has more than 200 characters. With the arguments `once FILE` it does not; instead the first success
from its 40th call on has an errorCode that is a text, once: FILE remembers it.
"""

import json
import os
import sys

CARDS = {
    "debit": {"cardNo": "6299900000000000011", "bankName": "样例银行", "bankId": "99010000", "cardType": "借记卡"},
    "credit": {"cardNo": "6299900000000000029", "bankName": "样例银行", "bankId": "99010000", "cardType": "贷记卡"},
}
ONCE = "once" in sys.argv[1:]


def answer(method, params, state):
    if method == "bridge.hello":
        return {
            "protocol": 1, "name": "fragile", "version": "1", "platform": "desktop", "integration": "integrated",
            "callStyle": "promise", "capabilities": ["ocr:BankCard"], "human": False, "simulated": False,
        }
    if method == "bridge.putFile":
        state["files"] += 1
        path = f"/tmp/fragile/{state['files']}/{params['name']}"
        state["known"].add(path)
        return {"path": path}
    if method in ("bridge.ping", "bridge.reset"):
        return {}
    if method != "ft.finCardOcr":
        return None
    request = (params.get("args") or [{}])[0]
    path, kind = request.get("imagePath"), request.get("type")
    state["calls"] += 1
    if isinstance(path, str) and len(path) > 200 and not ONCE:
        sys.exit(3)
    if kind != "BankCard" or not isinstance(path, str) or path not in state["known"]:
        return {"via": "reject", "value": {"errMsg": "finCardOcr:fail refused"}}
    wrong = ONCE and state["calls"] >= 40 and not os.path.exists(sys.argv[2])
    if wrong:
        open(sys.argv[2], "w").close()
    card = CARDS["credit" if "credit" in path else "debit"]
    value = {
        "type": kind, "errorCode": "0" if wrong else 0, "description": "", "recogResult": card, "errMsg": "finCardOcr:ok",
    }
    return {"via": "resolve", "value": value}


def main():
    state = {"files": 0, "calls": 0, "known": set()}
    for line in sys.stdin:
        message = json.loads(line)
        result = answer(message["method"], message.get("params") or {}, state)
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if result is None:
            reply["error"] = {"code": -32601, "message": "no such method"}
        elif result.get("via") == "reject":
            reply["error"] = {"code": -32000, "message": "failed", "data": result}
        else:
            reply["result"] = result
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


main()
