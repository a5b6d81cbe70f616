"""Splits and joins as trezor/python-shamir-mnemonic does, one JSON request a line on standard input."""

import json
import sys

import shamir_mnemonic

for line in sys.stdin:
    r = json.loads(line)
    passphrase = r["passphrase"].encode("ascii")
    try:
        if "secret" in r:
            answer = {"groups": shamir_mnemonic.generate_mnemonics(
                r["group_threshold"], [tuple(g) for g in r["groups"]], bytes.fromhex(r["secret"]),
                passphrase, r["extendable"], r["exponent"])}
        else:
            answer = {"secret": shamir_mnemonic.combine_mnemonics(r["shares"], passphrase).hex()}
    except shamir_mnemonic.MnemonicError as e:
        answer = {"error": str(e)}
    print(json.dumps(answer), flush=True)
