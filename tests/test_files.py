import errno

import pytest

from tidepool.errors import InputError, OutsideError
from tidepool.files import refuse_existing, require_writable, whole


def test_a_file_appears_whole_and_makes_its_folders(tmp_path):
    target = tmp_path / "a" / "b" / "out.csv.gz"
    with whole(target) as temporary:
        temporary.write_text("text")
        assert not target.exists()
        assert temporary.name.endswith("out.csv.gz")
    assert target.read_text() == "text"
    assert [path.name for path in target.parent.iterdir()] == ["out.csv.gz"]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), whole(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("number", "hint"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only")])
def test_errors_of_the_disk_are_one_clear_line(tmp_path, number, hint):
    with pytest.raises(OutsideError) as error, whole(tmp_path / "out.txt") as temporary:
        temporary.write_text("half")
        raise OSError(number, "what the system says")
    assert error.value.exit_code == 4
    assert hint in error.value.hint
    assert not list(tmp_path.iterdir())


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutsideError, match="cannot be written"), whole(tmp_path / "file" / "out.txt") as temporary:
        temporary.write_text("never")


def test_a_folder_is_tried_and_left_as_it_was(tmp_path, monkeypatch):
    require_writable(tmp_path / "a" / "b" / "out")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutsideError, match="cannot be written") as error:
        require_writable(tmp_path / "file" / "out")
    assert "is a file" in error.value.hint

    def full(self):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(type(tmp_path), "touch", full)
    with pytest.raises(OutsideError, match="Read-only"):
        require_writable(tmp_path / "a" / "b" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_exists_is_refused_without_force(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        refuse_existing(tmp_path / "x", force=False)
    assert refuse_existing(tmp_path / "x", force=True) == tmp_path / "x"
