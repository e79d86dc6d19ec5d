#!/usr/bin/env python3
"""Makes the golden vectors of this folder without any code of the project: python3 make.py (needs openssl).

RFC 8785 lines are put together here from strings that were written by hand or come from that RFC, so that a mistake in the
project's printer cannot repeat itself. The key is for tests only.
"""
import base64
import hashlib
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
BOOT = "6b1f3a52-0c3e-4a57-9d27-0d8f0f1f7a11"
# The sample of RFC 8785 section 3.2.2, in its canonical spelling from section 3.2.3.
RFC = r"""{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
DATA = [
    '{"build":"0.1.0"}',
    '{"evidence":[{"age_ms":12,"indicator":"relay","position":"isolated"}],"from":"unproven","link":"vault","to":"isolated"}',
    RFC,
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\U0001f600":5,"\ufb33":3}',
    '{"10":"ten","9":"nine","__proto__":{"a":[]},"toJSON":1}',
    '{"excerpt":"\\u0000\\u001b[31m\\t\u2028 \ufffd \u202e"}',
]

prev = "0" * 64
lines, hashes = [], []
for index, data in enumerate(DATA):
    clock = ["unsynchronised", "assumed", "synchronised"][index % 3]
    line = (
        '{"actor":"interlock","at":"2026-11-21T03:00:0%d.%03dZ","boot":"%s","clock":"%s","data":%s,"mono":%s,"prev":"%s","seq":%d,"type":"golden.entry-%d"}'
        % (index, index * 7, BOOT, clock, data, ["0", "1.5", "1000.001", "86400000", "1e+21", "5e-324"][index], prev, index + 1, index + 1)
    )
    json.loads(line)
    prev = hashlib.sha256(line.encode()).hexdigest()
    lines.append(line)
    hashes.append(prev)
(HERE / "journal-000001.jsonl").write_bytes("".join(line + "\n" for line in lines).encode())
(HERE / "hashes.txt").write_text("".join(h + "\n" for h in hashes))

key = HERE / "test-only.key"
if not key.exists():
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
public = der[-32:]
name = "portcullis.local/journal/" + hashlib.sha256(public).hexdigest()[:16]
key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
(HERE / "vkey.txt").write_text(f"{name}+{key_id.hex()}+{base64.b64encode(bytes([1]) + public).decode()}\n")
body = f"{name}\n{len(lines)}\n{base64.b64encode(bytes.fromhex(prev)).decode()}\n"
(HERE / "body.bin").write_text(body)
signature = subprocess.run(
    ["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", HERE / "body.bin"], check=True, capture_output=True
).stdout
(HERE / "body.bin").unlink()
(HERE / "head.txt").write_text(f"{body}\n\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n")
