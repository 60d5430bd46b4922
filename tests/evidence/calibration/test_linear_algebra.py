from __future__ import annotations

import pytest

from regraft.evidence.calibration.linear_algebra import _libraries, one_thread


def threads():
    return [getattr(library, get)() for library, get, _ in _libraries()]


def test_one_thread_in_the_block_and_as_many_as_before_after_it():
    before = threads()
    if not before:
        pytest.skip("the libraries of linear algebra are those of the system")
    for library, _, put in _libraries():
        getattr(library, put)(2)
    two = threads()
    with pytest.raises(RuntimeError), one_thread() as found:
        assert threads() == [1] * found
        raise RuntimeError
    assert threads() == two
    for (library, _, put), count in zip(_libraries(), before, strict=True):
        getattr(library, put)(count)
