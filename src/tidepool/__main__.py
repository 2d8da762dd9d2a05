"""``python -m tidepool``."""

from tidepool.cli import entry

entry()
