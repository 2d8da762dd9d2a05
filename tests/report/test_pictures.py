"""Pictures of any numbers as bytes and as data URIs."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from tidepool.report.pictures import to_uint8, uris


@pytest.mark.parametrize(
    "images",
    [
        np.array([[[0, 1]]], dtype=np.uint8),
        np.array([[[0, 16]]], dtype=np.uint8),
        np.array([[[0.0, 1.0]]]),
        np.array([[[-1.0, 1.0]]], dtype=np.float32),
        np.array([[[0.0, 65535.0]]]),
        np.array([[[-1e308, 1e308]]]),
        np.array([[[-np.inf, 3.0]], [[np.nan, np.inf]], [[2.0, 2.0]]]),
        np.array([[[-300, 40000]]], dtype=np.int64),
    ],
)
def test_any_range_is_shown_from_black_to_white(images):
    shown = to_uint8(images)
    assert (shown[0, 0] == (0, 255)).all()


def test_values_in_the_middle_keep_their_tone():
    assert (to_uint8(np.array([[[0.0, 0.5]]])) == (0, 128)).all()
    assert (to_uint8(np.array([[[7, 200]]], dtype=np.uint8)) == (7, 200)).all()
    assert (to_uint8(np.full((1, 2, 2), np.nan)) == 0).all()
    assert to_uint8(np.full((1, 2, 2), 5.0)).dtype == np.uint8


def test_a_uri_holds_the_very_pixels():
    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7), dtype=np.uint8)
    images[0, 0, 0] = 255
    bytes_ = base64.b64decode(uris(images)[1].partition(",")[2])
    assert (np.asarray(Image.open(io.BytesIO(bytes_))) == images[1]).all()
    assert uris(images[:0]) == []
