"""The search for a better net and better warps than the defaults, on rows that are held back (extra ``tune``)."""

from tidepool.tuning.search import Best, Search, Tried

__all__ = ["Best", "Search", "Tried"]
