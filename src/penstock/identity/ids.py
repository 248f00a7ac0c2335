"""IAM's unique ids: a four-letter prefix that says what it is, then base32 letters and digits.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

import hashlib

from penstock.core.dice import Dice, new_code

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""32 letters, so that one byte modulo 32 favours none of them."""


def new_id(prefix: str, dice: Dice, length: int = 16) -> str:
    """A fresh id: `AKIA…` and `ASIA…` have 20 characters, `AIDA…` has 21."""
    return prefix + new_code(dice, length, ALPHABET)


def role_id(role_arn: str) -> str:
    """The `AROA…` id of a role. It follows from the ARN, because roles are not stored yet and it must not change."""
    digest = hashlib.sha256(role_arn.encode()).digest()
    return "AROA" + "".join(ALPHABET[byte % 32] for byte in digest[:17])
