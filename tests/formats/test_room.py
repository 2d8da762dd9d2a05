from pathlib import Path

import pytest

from tidepool.formats import room


def test_a_container_has_what_its_limit_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = room.available_memory()
    if machine is None:
        pytest.skip("no /proc/meminfo")
    monkeypatch.setattr(room, "_CONTAINER", tmp_path)
    for name, text in (("max", "5000\n"), ("current", "4000\n"), ("stat", "anon 3100\ninactive_file 900\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert room.available_memory() == 1900
    (tmp_path / "memory.current").write_text("9000\n")
    assert room.available_memory() == 0
    (tmp_path / "memory.max").write_text("max\n")
    assert room.available_memory() > 5000  # type: ignore[operator]


def test_bytes_in_words() -> None:
    assert [room.in_words(count) for count in (3, 64e6, 3.14e9)] == ["1 MB", "64 MB", "3.1 GB"]
