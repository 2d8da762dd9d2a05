"""The ladder: the article of 2016 that this project began with, climbed again rung by rung, each with its figure."""

from tidepool.ladder.climbing import Climbed, Voice, climb
from tidepool.ladder.result import Line, Result
from tidepool.ladder.sizes import FULL, QUICK, Sizes

__all__ = ["FULL", "QUICK", "Climbed", "Line", "Result", "Sizes", "Voice", "climb"]
