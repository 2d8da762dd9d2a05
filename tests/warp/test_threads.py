import threading

import pytest

from tidepool.warp.threads import in_chunks


@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_place_comes_once_in_slices_no_longer_than_a_chunk(count, threads):
    parts = []
    in_chunks(parts.append, count, 8, threads)
    assert all(0 < part.stop - part.start <= 8 for part in parts)
    assert sorted(i for part in parts for i in range(part.start, part.stop)) == list(range(count))


def test_a_single_chunk_s_worth_is_shared_by_all_threads():
    meeting = threading.Barrier(2, timeout=20)
    in_chunks(lambda part: meeting.wait() and None, 10, 1000, 2)  # would time out on one thread


def test_an_error_in_a_thread_comes_out():
    def work(part):
        raise ValueError(part.start)

    with pytest.raises(ValueError, match="0"):
        in_chunks(work, 10, 2, 2)
