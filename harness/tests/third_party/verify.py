"""Verifies the envelopes of a certificate with securesystemslib: CERTIFICATE PUBLIC-KEY…"""

import hashlib
import json
import sys

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def key(path):
    with open(path, "rb") as file:
        public = load_pem_public_key(file.read())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(public, keyid=hashlib.sha256(der).hexdigest())


certificate, *paths = sys.argv[1:]
keys = [key(path) for path in paths]
with open(certificate, "rb") as file:
    lines = file.read().splitlines()
assert len(lines) == 2, "a certificate has two lines"
for line in lines:
    envelope = Envelope.from_dict(json.loads(line))
    assert envelope.payload_type == "application/vnd.in-toto+json"
    verified = envelope.verify(keys, threshold=len(keys))
    statement = json.loads(envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert all(len(subject["digest"]["sha256"]) == 64 for subject in statement["subject"])
    envelope.payload = envelope.payload.replace(b"sha256", b"sha512", 1)
    try:
        envelope.verify(keys, threshold=1)
        sys.exit("a changed payload was accepted")
    except VerificationError:
        pass
    print(f"{statement['predicateType']} signed by {len(verified)}, refused when changed")
