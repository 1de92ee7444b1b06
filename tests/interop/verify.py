#!/usr/bin/env python3
"""Check an evidence folder with tools that know nothing of Shieldwall.

usage: verify.py DIR [--expect-compartments]

scitt-cose checks the statement, every receipt and every frontier cosignature. cwt checks statement, charter and manifests as
plain COSE, so that each key is traced back to a root in the charter, and opens every compartment whose key is disclosed. The
commands in README.md are run as they stand. Prints one line per check; exit code 1 if any fails.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

import cbor2
import cwt
import scitt_cose
from cryptography.hazmat.primitives import serialization

FEDERATION = -65601
LOG = -65602
POSITION = -65603
FRONTIER = -65609


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    bad = 0

    def report(good: bool, what: str) -> None:
        nonlocal bad
        bad += not good
        print(("ok      " if good else "REFUSED ") + what)

    statement = (folder / "statement.cose").read_bytes()
    parts = cbor2.loads(statement).value
    protected = cbor2.loads(parts[0])
    record = protected[15][2]
    author = protected[15][1].rsplit(":", 1)[1]
    leaf = (folder / "leaf.hex").read_text().strip()
    report(leaf == statement.hex(), "leaf.hex is the statement")

    parsed = scitt_cose.parse_signed_statement(statement, public_key_pem=pem(folder, author))
    good = parsed["signature_verified"] is True and parsed["subject"] == record
    report(good, f"scitt-cose: statement {parsed['subject']} by {parsed['issuer']}")

    for path in sorted((folder / "receipts").glob("*.cose")):
        result = scitt_cose.verify_receipt(
            path.read_bytes(), leaf_entry_hex=leaf, log_public_key_pem=pem(folder, path.stem)
        )
        what = f"position {result.leaf_index} of {result.tree_size}, root {str(result.root)[:12]}"
        report(result.ok, f"scitt-cose: receipt by {result.issuer}: {what} {'; '.join(result.errors)}")
    transparent = (folder / "transparent.cose").read_bytes()
    parsed = scitt_cose.parse_signed_statement(transparent, public_key_pem=pem(folder, author))
    attached = scitt_cose.extract_receipts(transparent)
    good = parsed["signature_verified"] is True and sorted(attached) == sorted(
        path.read_bytes() for path in (folder / "receipts").glob("*.cose")
    )
    report(good, f"scitt-cose: transparent statement with {len(attached)} receipts")
    for path in sorted((folder / "cosignatures").glob("*.cbor")):
        what = f"scitt-cose: frontier cosignature of {path.stem}, through two inclusion proofs"
        report(frontier(folder, path, leaf, protected), what)
    report(command_line(folder, author), "scitt-cose: the command line that README.md gives")

    key = cwt.COSEKey.from_pem(pem(folder, author), kid=protected[4])
    payload = cwt.COSE.new().decode(statement, key)
    report(payload == parts[2], "cwt: statement as COSE_Sign1")
    kid = hashlib.sha256(raw(folder, author)).digest()[:16]
    report(kid == protected[4], "the statement names its key by the key's digest")

    roots = keys_in(cbor2.loads(cbor2.loads((folder / "charter.cose").read_bytes()).value[2]))
    signers = charter_signers(folder, roots)
    report(len(signers) > 0, f"cwt: charter as COSE_Sign, signed by {', '.join(signers)}")
    for path in sorted((folder / "keys").glob("*.pem")):
        good = manifest_lists(folder, path.stem, roots)
        report(good, f"cwt: manifest of {path.stem} signed with its root in the charter, lists its key")

    head = folder / "head.cbor"
    if head.exists():
        report(hashlib.sha256(head.read_bytes()).digest() == payload, "the statement binds head.cbor by its SHA-256")
    for path in sorted((folder / "compartments").glob("*.key")):
        try:
            report(compartment(folder, path, protected), f"cwt: compartment {path.stem} opens to the fields shown")
        except Exception as error:  # whatever the library raises is a refusal
            report(False, f"cwt: compartment {path.stem}: {type(error).__name__}: {error}")
    if (folder / "compartments").is_dir():
        program = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
        done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True)
        report(done.returncode == 0 and len(done.stdout) > 0, "cwt: the program that README.md gives")
    if "--expect-compartments" in sys.argv and not (folder / "compartments").is_dir():
        report(False, "no compartment is disclosed")
    return 1 if bad else 0


def pem(folder: pathlib.Path, member: str) -> bytes:
    return (folder / "keys" / f"{member}.pem").read_bytes()


def raw(folder: pathlib.Path, member: str) -> bytes:
    key = serialization.load_pem_public_key(pem(folder, member))
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def frontier(folder: pathlib.Path, path: pathlib.Path, leaf: str, statement: dict) -> bool:
    """The signature is over a tree of (log, size, root); the statement is in the tree of that size."""
    (signature, root), entry, index, list_path, log_path = cbor2.loads(path.read_bytes())
    sealed = cbor2.dumps(signature, canonical=True)
    # Raises unless the signature is good.
    signed = scitt_cose.verify_sign1(sealed, public_key_pem=pem(folder, path.stem), detached_payload=root)
    logs = signed.protected[FRONTIER]
    in_list = scitt_cose.verify_inclusion(
        cbor2.dumps(entry, canonical=True).hex(), index, logs, [hash.hex() for hash in list_path], root.hex()
    )
    log, size, log_root = entry
    in_log = scitt_cose.verify_inclusion(
        leaf, statement[POSITION], size, [hash.hex() for hash in log_path], log_root.hex()
    )
    return log == statement[LOG] and in_list and in_log


def keys_in(value) -> dict:
    """Every 32-byte string within, by the key id that it would have."""
    if isinstance(value, bytes) and len(value) == 32:
        return {hashlib.sha256(value).digest()[:16]: value}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    found: dict = {}
    for item in items:
        found.update(keys_in(item))
    return found


def ed25519(public: bytes, kid: bytes):
    return cwt.COSEKey.new({1: 1, -1: 6, -2: public, 2: kid, 3: -8, 4: [2]})


def charter_signers(folder: pathlib.Path, roots: dict) -> list:
    sealed = (folder / "charter.cose").read_bytes()
    signers = []
    for protected, _, _ in cbor2.loads(sealed).value[3]:
        header = cbor2.loads(protected)
        # The library takes the first signature by a key that it was given.
        cwt.COSE.new().decode(sealed, ed25519(roots[header[4]], header[4]))
        signers.append(header[15][1].rsplit(":", 1)[1])
    return signers


def manifest_lists(folder: pathlib.Path, member: str, roots: dict) -> bool:
    manifest = (folder / "manifests" / f"{member}.cose").read_bytes()
    kid = cbor2.loads(cbor2.loads(manifest).value[0])[4]
    payload = cwt.COSE.new().decode(manifest, ed25519(roots[kid], kid))
    return raw(folder, member) in keys_in(cbor2.loads(payload)).values()


def command_line(folder: pathlib.Path, author: str) -> bool:
    """The commands in README.md, without a shell."""
    leaf = (folder / "leaf.hex").read_text().strip()
    calls = [["--statement", "statement.cose", "--statement-pubkey", f"keys/{author}.pem"]]
    for path in sorted((folder / "receipts").glob("*.cose")):
        log_key = f"keys/{path.stem}.pem"
        calls.append(["--receipt", f"receipts/{path.name}", "--receipt-log-pubkey", log_key, "--leaf-entry-hex", leaf])
    for call in calls:
        done = subprocess.run([sys.executable, "-m", "scitt_cose.cli", "--json", *call], cwd=folder, capture_output=True)
        if done.returncode != 0:
            return False
        answer = json.loads(done.stdout)
        if not ((answer["statement"] or {}).get("signature_verified") or (answer["receipt"] or {}).get("ok")):
            return False
    return True


def compartment(folder: pathlib.Path, path: pathlib.Path, protected: dict) -> bool:
    """Opens a COSE_Encrypt with its disclosed content key. The statement binds the compartment as it was sealed; what is opened has
    the same ciphertext, with one recipient of the kind `direct` in place of the readers."""
    sealed = path.with_suffix(".cose").read_bytes()
    direct = path.with_suffix(".direct.cose").read_bytes()
    label = bytes.fromhex(path.stem)
    head = cbor2.loads((folder / "head.cbor").read_bytes())
    (entry,) = [entry for entry in head if entry[1] == label]
    if hashlib.sha256(sealed).digest() != entry[2] or cbor2.loads(sealed).value[:3] != cbor2.loads(direct).value[:3]:
        return False
    external_aad = protected[FEDERATION] + protected[15][2].encode() + label
    key = bytes.fromhex(path.read_text())
    key = cwt.COSEKey.from_symmetric_key(key, alg="ChaCha20/Poly1305", kid=label)
    content = cbor2.loads(cwt.COSE.new().decode(direct, key, external_aad=external_aad))
    opened = [[salt, name, value] for salt, name, value in content[2]]
    shown = cbor2.loads((folder / "fields" / f"{path.stem}.cbor").read_bytes())
    return opened == [[field[2], field[3], field[4]] for field in shown] and {f[1] for f in shown} == {content[1]}


if __name__ == "__main__":
    sys.exit(main())
