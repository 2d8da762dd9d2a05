import numba
import pytest

from tidepool.warp.compiled import compiled


def test_without_a_place_to_keep_it_it_is_compiled_all_the_same(monkeypatch):
    real = numba.njit

    def njit(*given, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function 'twice': no locator available for file 'x.py'")
        return real(*given, **options)

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(lambda x: 2 * x)(4) == 8


def test_other_refusals_are_told(monkeypatch):
    def njit(*given, **options):
        raise RuntimeError("something else")

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.raises(RuntimeError, match="something else"):
        compiled(lambda x: x)
