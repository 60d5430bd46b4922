from __future__ import annotations

import numpy as np
import pytest

from regraft.streams import patient_uniforms, philox, stream_key, uniform


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_that_come_with_the_generator(counter: str, key: str, expected: str) -> None:
    low, high = (np.uint64(int(word, 16)) for word in key.split())
    words = [np.uint64(int(word, 16)) for word in counter.split()]
    first, second = (int(word) for word in philox(low | (high << np.uint64(32)), *words))
    found = [first >> 32, first & 0xFFFFFFFF, second >> 32, second & 0xFFFFFFFF]
    assert " ".join(f"{word:08x}" for word in found) == expected


def test_numbers_lie_strictly_between_zero_and_one() -> None:
    numbers = patient_uniforms(1, np.arange(20_000), "relapse")
    assert numbers.min() > 0.0
    assert numbers.max() < 1.0


def test_numbers_are_uniform_and_those_of_two_names_are_unrelated() -> None:
    ids = np.arange(40_000)
    first, second = patient_uniforms(5, ids, "relapse"), patient_uniforms(5, ids, "lesion")
    # five standard errors of a mean and of a correlation of 40 000 numbers
    assert abs(first.mean() - 0.5) < 5 * np.sqrt(1 / 12 / ids.size)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(ids.size)
    counts, _ = np.histogram(first, bins=20, range=(0, 1))
    assert ((counts - 2000) ** 2 / 2000).sum() < 60


def test_a_number_depends_on_its_key_only_and_not_on_the_company() -> None:
    alone = patient_uniforms(7, np.array([4711]), "relapse", 3)
    among = patient_uniforms(7, np.array([9, 4711, 1]), "relapse", 3)
    assert alone[0] == among[1] == uniform(7, 4711, stream_key("relapse"), 3, 0)


def test_each_part_of_the_key_changes_the_number() -> None:
    key = stream_key("relapse")
    numbers = {
        uniform(1, 2, key, 3, 4),
        uniform(2, 2, key, 3, 4),
        uniform(1 + 2**32, 2, key, 3, 4),
        uniform(1, 3, key, 3, 4),
        uniform(1, 2, stream_key("lesion"), 3, 4),
        uniform(1, 2, key, 4, 4),
        uniform(1, 2, key, 3, 5),
    }
    assert len(numbers) == 7


def test_the_key_of_a_name_never_changes() -> None:
    # four bytes of BLAKE2b, as `printf relapse | b2sum -l 32` prints them; a change would give every run other luck
    assert stream_key("relapse").to_bytes(4, "little").hex() == "b726639f"
