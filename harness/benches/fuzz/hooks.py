"""What Schemathesis cannot know of the mock host: an invalid request is refused by `fail` with status 200, as a mini
program sees it. So that it is not worse off, this check tells it."""

import json

import schemathesis


@schemathesis.check
def refused(ctx, response, case):
    """A request that breaks its table never succeeds."""
    meta = getattr(case, "meta", None)
    mode = getattr(getattr(meta, "generation", None), "mode", None)
    if response.status_code != 200 or mode is None or mode.is_positive:
        return
    # Only a broken body is a broken request: the header Prefer is free text.
    components = getattr(meta, "components", {}) or {}
    body = next((info for place, info in components.items() if "body" in str(place).lower()), None)
    if body is None or not body.mode.is_negative:
        return
    via = response.headers.get("fincert-via")
    if isinstance(via, list):
        via = via[0]
    try:
        value = json.loads(response.content)
    except ValueError:
        return
    code = value.get("errorCode", 0) if isinstance(value, dict) else 0
    if via == "success" and code == 0:
        raise AssertionError("a request that breaks its table succeeded")
