"""Encryption at rest: AES-256-GCM under the account's master key, bound to what the value is for.

Sealed bytes are: format 1, key version, nonce (12 bytes), ciphertext with tag. Rule: sealed for one purpose, it opens
for no other, so nobody can move a ciphertext from one row to another.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from penstock.core.dice import Dice

FORMAT = 1
NONCE = 12


class MasterCipher:
    """Fills `registry.ports.Cipher`. The newest key seals; older ones still open."""

    def __init__(self, keys: dict[int, bytes], dice: Dice):
        """`keys` by version (1 to 255), 32 bytes each."""
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self._newest = max(keys)
        self._dice = dice

    def encrypt(self, plain: bytes, purpose: str) -> bytes:
        """Sealed bytes; `purpose` is authenticated along."""
        head = bytes((FORMAT, self._newest))
        nonce = self._dice.token(NONCE)
        return head + nonce + self._keys[self._newest].encrypt(nonce, plain, head + purpose.encode())

    def decrypt(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed; raises `ValueError` when it was tampered with, or the purpose or key is another."""
        if len(sealed) < 2 + NONCE or sealed[0] != FORMAT:
            raise ValueError("not a sealed value")
        key = self._keys.get(sealed[1])
        if key is None:
            raise ValueError(f"sealed with key version {sealed[1]}, which this server does not have")
        try:
            return key.decrypt(sealed[2 : 2 + NONCE], sealed[2 + NONCE :], sealed[:2] + purpose.encode())
        except InvalidTag:
            raise ValueError("the sealed value was changed, or was sealed for another purpose or key") from None
