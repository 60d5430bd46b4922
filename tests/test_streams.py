from __future__ import annotations

import numpy as np

from regraft.streams import patient_uniforms, philox, stream_key, uniform


def test_philox_gives_the_published_words_for_key_and_counter_zero() -> None:
    # known-answer test that comes with the generator: key 0, counter 0
    first, second = philox(0, 0, 0, 0, 0)
    words = [int(first) >> 32, int(first) & 0xFFFFFFFF, int(second) >> 32, int(second) & 0xFFFFFFFF]
    assert [f"{word:08x}" for word in words] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


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
    # a change here would give every earlier run other luck
    assert stream_key("relapse") == stream_key("relapse")
    assert 0 <= stream_key("") < 2**32
