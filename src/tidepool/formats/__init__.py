"""Reading and writing sets of pictures: one file a format, each with ``sniff``, ``read`` and ``write``."""

from tidepool.formats.reading import read
from tidepool.formats.writing import write

__all__ = ["read", "write"]
