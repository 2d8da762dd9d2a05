import numpy as np
import pytest

import tidepool as tp
from tidepool.views import SHIFTS, Looker, moved


def test_a_move_is_by_whole_pixels_and_repeats_the_edge():
    picture = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert moved(picture, 1, 0)[0].tolist() == [[0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7]]
    assert moved(picture, 0, -1)[0].tolist() == [[1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]
    assert moved(np.stack([picture] * 3, axis=3), -1, -1).shape == (1, 3, 4, 3)


def by_place(images):
    """Sure of class 0 where the lit pixel is in the middle, unsure elsewhere."""
    middle = images[:, 2, 2] > 0
    return np.where(middle[:, None], [0.9, 0.1], [0.5, 0.5]).astype(np.float32)


def test_only_the_unsure_are_looked_at_again():
    images = np.zeros((3, 5, 5), np.uint8)
    images[0, 2, 2] = images[1, 1, 1] = images[2, 0, 4] = 255
    seen = []

    def predict(pictures):
        seen.append(len(pictures))
        return by_place(pictures)

    again = Looker(predict, (5, 5)).again(images, by_place(images), 0.7)
    assert seen == [2] * len(SHIFTS)
    assert again[0].tolist() == by_place(images)[0].tolist()
    # One view of five brings the second picture's pixel into the middle; none brings the third's there.
    assert again[1, 0] == pytest.approx(9**0.2 / (1 + 9**0.2))
    assert again[2].tolist() == [0.5, 0.5]


def test_looking_again_is_judged_by_labelled_pictures():
    images = np.zeros((400, 5, 5), np.uint8)
    images[:360, 2, 2] = 255
    images[360:, 1, 1] = 255
    looker = Looker(by_place, (5, 5))
    helped = looker.worth(images, np.zeros(400, np.int64))
    assert helped["pays"]
    assert helped["gain"] > 0
    misled = looker.worth(images, np.ones(400, np.int64))
    assert not misled["pays"]
    assert misled["gain"] < 0


def test_effort_says_how_hard_to_look():
    digits = tp.read("digits").select(slice(0, 300))
    model = tp.Classifier(epochs=1, device="cpu").fit(digits).model_
    usual, accurate, fast = (model.predict_proba(digits, effort) for effort in ("usual", "accurate", "fast"))
    assert np.array_equal(fast, model.fast.predict_proba(digits, "fast"))
    model.card["views"]["pays"] = False
    once = model.predict_proba(digits)
    assert not np.array_equal(once, accurate)
    assert np.array_equal(once, fast)
    model.card["views"]["pays"] = True
    assert np.array_equal(model.predict_proba(digits), accurate)
    assert np.allclose(usual.sum(axis=1), 1, atol=1e-5)


def test_smaller_pictures_are_padded_before_they_are_moved():
    images = np.full((1, 3, 3), 200, np.uint8)
    seen = []

    def predict(pictures):
        seen.append(pictures)
        return np.full((len(pictures), 2), 0.5, np.float32)

    Looker(predict, (5, 5), background=7.0).again(images, np.array([[0.5, 0.5]], np.float32), 0.9)
    assert all(view.shape == (1, 5, 5) and (view == 200).sum() == 9 for view in seen)
    assert all((view == 7).sum() == 16 for view in seen)
