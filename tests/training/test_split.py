import numpy as np

from tidepool.training import split
from tidepool.training.split import default_share, hold_back, hold_back_originals


def test_the_default_share_is_capped():
    assert [default_share(count) for count in (1000, 10_000, 42_000, 400_000)] == [0.2, 0.1, 0.05, 0.05]
    assert round(default_share(1_920_000) * 1_920_000) == split.ENOUGH


def test_versions_of_a_held_back_original_are_never_trained_on(monkeypatch):
    originals = np.tile(np.arange(1, 501), 8)
    targets = originals % 10
    share, rows, held = hold_back_originals(targets, None, 0, originals)
    assert share == default_share(500) == 0.2
    assert len(held) == 0.2 * len(targets)
    assert not set(originals[rows]) & set(originals[held])
    assert len(rows) + len(held) == len(targets)
    monkeypatch.setattr(split, "ENOUGH", 150)
    _, rows, held = hold_back_originals(targets, share, 0, originals)
    assert len(held) == 150
    assert (np.diff(held) > 0).all()
    assert not set(originals[rows]) & set(originals[held])
    assert len(np.unique(originals[held])) > 60  # a few versions of many originals, not all versions of a few
    again = hold_back_originals(targets, share, 0, originals)
    np.testing.assert_array_equal(again[2], held)


def test_one_version_of_each_original_is_an_ordinary_set():
    targets = np.arange(1000) % 10
    share, rows, held = hold_back_originals(targets, None, 3, np.arange(1000)[::-1])
    for found, expected in zip((rows, held), hold_back(targets, share, 3)):
        np.testing.assert_array_equal(found, expected)
    assert np.bincount(targets[held]).tolist() == [20] * 10
