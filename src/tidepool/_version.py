"""The version, read by hatchling and by `tidepool --version`."""

__version__ = "0.1.0"
