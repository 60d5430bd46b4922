"""Random numbers by key: the same (seed, patient, name, occurrence, draw) always gives the same number.

Nothing here has a state. A draw never depends on the arm, on the order of patients, on the chunk or on
the number of cores, so two arms see the same patients and the same luck until a treatment acts.
The generator is Philox4x32-10, a counter-based generator [salmon_2011].
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import njit

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_ROUNDS = 10


def stream_key(name: str) -> int:
    """Return the 32-bit key of a named stream (an event, a parameter, a measured quantity)."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")


@njit(cache=True, nogil=True)
def philox(key: int, word0: int, word1: int, word2: int, word3: int) -> tuple[np.uint64, np.uint64]:
    """Return two 64-bit words of Philox4x32-10 for a 64-bit key and a 128-bit counter of four words."""
    c0, c1, c2, c3 = np.uint32(word0), np.uint32(word1), np.uint32(word2), np.uint32(word3)
    k0, k1 = np.uint32(np.uint64(key) & _LOW), np.uint32(np.uint64(key) >> np.uint64(32))
    for _ in range(_ROUNDS):
        product0 = np.uint64(c0) * _MULTIPLIER_0
        product1 = np.uint64(c2) * _MULTIPLIER_1
        c0 = np.uint32(np.uint32(product1 >> np.uint64(32)) ^ c1 ^ k0)
        c2 = np.uint32(np.uint32(product0 >> np.uint64(32)) ^ c3 ^ k1)
        c1 = np.uint32(product1 & _LOW)
        c3 = np.uint32(product0 & _LOW)
        k0 = np.uint32((np.uint64(k0) + _WEYL_0) & _LOW)
        k1 = np.uint32((np.uint64(k1) + _WEYL_1) & _LOW)
    return (np.uint64(c0) << np.uint64(32)) | np.uint64(c1), (np.uint64(c2) << np.uint64(32)) | np.uint64(c3)


@njit(cache=True, nogil=True)
def uniform(seed: int, patient: int, stream: int, occurrence: int, draw: int) -> float:
    """Return a number in the open interval (0, 1) for one key."""
    first, _ = philox(seed, patient, stream, occurrence, draw)
    return (float(first >> np.uint64(11)) + 0.5) / 9007199254740992.0


@njit(cache=True, nogil=True)
def _uniforms(seed: int, patients: np.ndarray, stream: int, occurrence: int) -> np.ndarray:
    out = np.empty(patients.size)
    for i in range(patients.size):
        out[i] = uniform(seed, patients[i], stream, occurrence, 0)
    return out


def patient_uniforms(seed: int, patient_ids: np.ndarray, name: str, occurrence: int = 0) -> np.ndarray:
    """Return one number in (0, 1) per patient for a named stream.

    Parameters
    ----------
    seed : int, 0 <= seed < 2**63
    patient_ids : (patient,) int, 0 <= id < 2**32
    name : stream name; another name gives independent numbers and changes nobody else's
    occurrence : int, for repeated draws of the same name (a visit number, for example)

    Returns
    -------
    (patient,) float in (0, 1)
    """
    ids = np.ascontiguousarray(patient_ids, dtype=np.int64)
    return np.asarray(_uniforms(seed, ids, stream_key(name), occurrence))
