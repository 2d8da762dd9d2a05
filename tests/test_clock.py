import subprocess
import sys

import pytest

from tidepool import clock
from tidepool.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"), [("60s", 60), ("5m", 300), ("1.5h", 5400), ("90", 90), (20, 20), (" 2M ", 120)]
)
def test_budgets(text, value):
    assert clock.seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-3s", "0", 0, -1.0, float("inf"), "1e9s"])
def test_what_is_no_time(text):
    with pytest.raises(InputError, match="budget"):
        clock.seconds(text)


def test_process_start_is_before_our_import():
    code = "import time; time.sleep(0.5); from tidepool import clock; print(time.monotonic() - clock.process_start())"
    age = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0.5 <= age < 20
