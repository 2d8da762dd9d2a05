"""Work on many pictures, shared out in chunks to a pool of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def in_chunks(work: Callable[[slice], None], count: int, chunk: int, threads: int) -> None:
    """Call ``work`` with slices of up to ``chunk`` that cover 0..count-1, on up to ``threads`` threads at once."""
    chunk = max(1, min(chunk, -(-count // max(1, threads))))
    parts = [slice(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    workers = min(threads, len(parts))
    if workers <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="warp") as pool:
        list(pool.map(work, parts))
