"""Curves: inside their figure, thinned, with a mark."""

from __future__ import annotations

import numpy as np
import pytest

from tidepool.report.charts import accuracy_chart, loss_chart


@pytest.mark.parametrize("losses", [[1.0], [1.0, 1.0], [0.0, 0.0], [1e-9, 5.0], [3e7, 1.0], [-1.0, 2.0]])
def test_curves_stay_inside_their_figure(losses):
    chart = loss_chart([{"epoch": i, "train_loss": v} for i, v in enumerate(losses, 1)])
    assert chart is not None
    points = np.array([p.split(",") for line in chart.lines for p in line.points.split()], dtype=float)
    assert (points[:, 0] >= 0).all()
    assert (points[:, 0] <= 340).all()
    assert (points[:, 1] >= 0).all()
    assert (points[:, 1] <= 230).all()
    assert chart.y_ticks


def test_long_histories_are_thinned_and_the_kept_epoch_is_marked():
    rows = [{"epoch": e, "valid_accuracy": 0.9, "best": e == 700} for e in range(1, 5001)]
    chart = accuracy_chart(rows)
    assert chart is not None
    assert len(chart.lines[0].points.split()) <= 301
    assert chart.mark is not None
    assert chart.mark.text == "epoch 700"
