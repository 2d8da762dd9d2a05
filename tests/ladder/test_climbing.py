from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tidepool.errors import InputError
from tidepool.images import ImageSet, Source
from tidepool.ladder import Climbed, Line, Result, Sizes, Voice, climb, mystery
from tidepool.ladder.mistakes import Preparation

LETTERS = list("abcdef")


class Heard:
    """A voice that remembers."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[tuple[str, bool]] = []
        self.shares: list[float] = []
        self.voice = Voice(
            begin=self.begun.append,
            tell=lambda share, words: self.shares.append(share),
            done=lambda result, kept: self.done.append((result.letter, kept)),
        )


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory, digits: ImageSet, tiny: Sizes) -> tuple[Climbed, Heard]:
    """The whole ladder, climbed once."""
    heard = Heard()
    folder = tmp_path_factory.mktemp("ladder") / "parent" / "out"
    found = climb(folder, data=digits, sizes=tiny, command="tidepool ladder <&>", voice=heard.voice)
    return found, heard


def rung(folder: Path, letter: str) -> Path:
    return folder / "rungs" / f"{letter}.json"


def test_every_rung_has_its_figures(climbed: tuple[Climbed, Heard], tiny: Sizes) -> None:
    found, heard = climbed
    assert list(found.results) == LETTERS
    assert heard.begun == LETTERS
    assert heard.done == [(letter, False) for letter in LETTERS]
    assert all(0 <= share <= 1 for share in heard.shares)
    lines = [line for result in found.results.values() for line in result.lines]
    assert all(0 <= line.accuracy <= 1 and line.n > 90 and line.seconds > 0 for line in lines)
    article = [[line.article for line in result.lines] for result in found.results.values()]
    assert article == [["up to 95", ""], ["97"], ["", "", "60", "98.41", "", "60"], ["99.22", "99.22"], [""], ["", ""]]
    assert [line.parameters for line in found.results["a"].lines] == [222_868, 222_868 + 264 + 58 + 10]
    assert [line.parameters for line in found.results["c"].lines[::3]] == [1_338_090, 5_279_640]
    assert found.results["d"].lines[1].seen == 2 * found.results["d"].lines[0].seen == 2 * tiny.nolearn_rows
    assert found.results["e"].lines[0].accuracy > 0.5


def test_the_mystery_s_preparations_are_all_scored(climbed: tuple[Climbed, Heard]) -> None:
    table = climbed[0].results["c"].tables[0]
    assert table.rows[0][0] == "padded by 6, divided by 255, as it should be"
    assert [row[0] for row in table.rows[1:]] == [str(way) for way in mystery.SUSPECTS[1:]]
    assert mystery.SUSPECTS[0] == Preparation()
    assert len(set(table.pictures)) >= 4  # what is only scaled looks the same


def test_the_conclusion_follows_the_figures() -> None:
    def said(right: float, wrong: float) -> str:
        return mystery._conclusion(right, wrong, 1000, 128)

    assert "98.00 % of the held-back rows" in said(0.98, 0.62)
    assert "That is the article's gap" in said(0.98, 0.62)
    assert "not the article's 60 %" in said(0.98, 0.8)
    assert "not yet trained far enough" in said(0.6, 0.6)


def test_ladder_json(climbed: tuple[Climbed, Heard], digits: ImageSet) -> None:
    facts = json.loads((climbed[0].folder / "ladder.json").read_text())
    assert facts["sha256"] == digits.source.sha256
    assert facts["quick"] is False
    assert facts["seed"] == 0
    assert facts["sizes"]["held"] == 100
    assert [one["rung"] for one in facts["rungs"]] == LETTERS
    first = facts["rungs"][0]["lines"][0]
    assert {"what", "article", "accuracy", "n", "rows", "seen", "seconds", "parameters", "interval"} == set(first)
    assert first["interval"][0] <= first["accuracy"] <= first["interval"][1]
    assert facts["seconds"] == pytest.approx(sum(one["seconds"] for one in facts["rungs"]))
    assert "data:image" not in json.dumps(facts)


def test_the_page_is_whole_and_needs_nothing_from_outside(climbed: tuple[Climbed, Heard]) -> None:
    text = (climbed[0].folder / "ladder.html").read_text()
    sources: list[str] = []
    ids: list[str] = []
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            known = dict(attributes)
            sources.extend(value for name, value in attributes if name in ("src", "href", "srcset") and value)
            ids.extend(value for name, value in attributes if name == "id" and value)
            if tag == "img":
                assert known["alt"]
            if tag not in ("meta", "img", "br", "link"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Reader().feed(text)
    assert not open_tags
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert not re.search(r"url\(|@import|<script|https?://", text)
    assert ids == [*LETTERS, "repeat"]
    assert sum(source.startswith("data:") for source in sources) >= 6 * 20
    assert "tidepool ladder &lt;&amp;&gt;" in text


def test_results_survive_their_files(climbed: tuple[Climbed, Heard]) -> None:
    for result in climbed[0].results.values():
        assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_finished_ladder_is_left_as_it_is(climbed: tuple[Climbed, Heard], digits: ImageSet, tiny: Sizes) -> None:
    folder, heard = climbed[0].folder, Heard()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    found = climb(folder, data=digits, sizes=tiny, voice=heard.voice)
    assert not found.new
    assert heard.done == [(letter, True) for letter in LETTERS]
    assert found.results == climbed[0].results
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_other_settings_are_refused(climbed: tuple[Climbed, Heard], digits: ImageSet, tiny: Sizes) -> None:
    folder = climbed[0].folder
    others = {
        "seed was 0, now 1": {"seed": 1},
        "quick was False, now True": {"quick": True},
        "other sample sizes": {"sizes": replace(tiny, keras_epochs=2)},
        "other rows": {"data": replace(digits, source=Source("digits, made larger", "memory", "1" * 64))},
    }
    for said, changed in others.items():
        with pytest.raises(InputError, match=said) as caught:
            climb(folder, **{"data": digits, "sizes": tiny, **changed})  # type: ignore[arg-type]
        assert "--force" in caught.value.hint


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, climbed: tuple[Climbed, Heard]) -> dict[str, str]:
    """Rungs that take no time: each gives the result that the real one gave, or raises what stands in the dict."""
    import importlib

    raised: dict[str, str] = {}
    names = dict(zip(LETTERS, ("finnegan", "plain", "mystery", "everything_right", "ours", "both_ways")))
    for letter, name in names.items():

        def instead(*arguments: object, letter: str = letter, **settings: object) -> Result:
            if letter in raised:
                raise KeyboardInterrupt
            return climbed[0].results[letter]

        monkeypatch.setattr(importlib.import_module(f"tidepool.ladder.{name}"), name, instead)
    return raised


def test_a_stopped_ladder_goes_on_with_what_is_missing(
    tmp_path: Path, stub: dict[str, str], digits: ImageSet, tiny: Sizes
) -> None:
    stub["c"] = "stopped"
    with pytest.raises(KeyboardInterrupt):
        climb(tmp_path / "out", data=digits, sizes=tiny)
    assert sorted(path.name for path in (tmp_path / "out" / "rungs").iterdir()) == ["a.json", "b.json"]
    assert not (tmp_path / "out" / "ladder.json").exists()
    stub.clear()
    heard = Heard()
    found = climb(tmp_path / "out", data=digits, sizes=tiny, voice=heard.voice)
    assert found.new
    assert heard.begun == LETTERS[2:]
    assert heard.done[:3] == [("a", True), ("b", True), ("c", False)]
    assert (tmp_path / "out" / "ladder.html").is_file()


def test_a_page_that_is_missing_is_written_again(
    tmp_path: Path, stub: dict[str, str], digits: ImageSet, tiny: Sizes
) -> None:
    climb(tmp_path, data=digits, sizes=tiny)
    (tmp_path / "ladder.html").unlink()
    assert not climb(tmp_path, data=digits, sizes=tiny).new
    assert (tmp_path / "ladder.html").is_file()


def test_force_starts_afresh_and_leaves_other_files(
    tmp_path: Path, stub: dict[str, str], digits: ImageSet, tiny: Sizes
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else than a ladder"):
        climb(tmp_path, data=digits, sizes=tiny)
    climb(tmp_path, data=digits, sizes=tiny, force=True)
    heard = Heard()
    climb(tmp_path, data=digits, sizes=tiny, seed=1, force=True, voice=heard.voice)
    assert heard.begun == LETTERS
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_damaged_rung_is_refused(tmp_path: Path, stub: dict[str, str], digits: ImageSet, tiny: Sizes) -> None:
    climb(tmp_path, data=digits, sizes=tiny)
    rung(tmp_path, "b").write_text('{"settings": {}')
    with pytest.raises(InputError, match=r"b\.json: is no result of a rung"):
        climb(tmp_path, data=digits, sizes=tiny)


def test_training_that_ctrl_c_ended_is_no_result(
    digits: ImageSet, tiny: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop keeps a model when it is stopped; a rung must not take it for the whole training."""
    from tidepool.ladder import listings
    from tidepool.ladder.plain import plain
    from tidepool.ladder.rows import divide
    from tidepool.training.loop import StopTraining

    def stop(*arguments: object) -> object:
        def finished(net: object, history: object) -> None:
            raise StopTraining

        return finished

    monkeypatch.setattr(listings, "heard", stop)
    with pytest.raises(KeyboardInterrupt):
        plain(divide(digits, tiny, 0), tiny, 0, lambda share, words: None)


@pytest.mark.parametrize(
    ("accuracy", "said"), [(0.97, "as the"), (0.9749, "as the"), (0.964, "below"), (0.9751, "above"), (0.99, "above")]
)
def test_a_figure_is_compared_as_exactly_as_the_article_gives_it(accuracy: float, said: str) -> None:
    from tidepool.ladder.plain import compared

    assert compared(accuracy).startswith(said)


def test_two_rungs_that_learnt_from_other_rows_are_not_compared_in_silence() -> None:
    from tidepool.ladder.ours import compared

    before = Line("nolearn", "99.22", 0.96, 1500, 8000, 32000, 60.0, 5_000_000)
    said = compared(Line("ours", "", 0.99, 1500, 36000, 120000, 20.0, 100_000), [before])
    assert "better than the nolearn listing's 96.00 %, in 33 % of its time" in said
    assert said.endswith("It learnt from 36,000 different rows, the listing from 8,000.")
    assert "different rows" not in compared(Line("ours", "", 0.99, 1500, 8000, 120000, 20.0, 100_000), [before])
