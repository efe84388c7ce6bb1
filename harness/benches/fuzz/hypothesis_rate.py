"""How many finCardOcr results a second hypothesis-jsonschema makes."""

import json
import sys
import time
import warnings

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis_jsonschema import from_schema

warnings.simplefilter("ignore")
document = json.load(open(sys.argv[1], encoding="utf-8"))
schema = {"$ref": "#/components/schemas/finCardOcr.result", "components": document["components"]}
seconds, made = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0, 0


class Enough(Exception):
    pass


@settings(max_examples=10**6, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
          derandomize=True)
@given(from_schema(schema))
def make(value):
    global made, began
    if made == 20:
        began = time.monotonic()
    made += 1
    if made > 20 and time.monotonic() - began > seconds:
        raise Enough


try:
    make()
except Enough:
    pass
print(f"hypothesis-jsonschema  {(made - 21) / (time.monotonic() - began):10.0f} finCardOcr results a second")
