"""``python -m tidepool``."""

from tidepool.cli import main

main()
