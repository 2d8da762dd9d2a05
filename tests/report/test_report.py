from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tidepool.errors import OutsideError
from tidepool.images import ImageSet, Source
from tidepool.report import ReportFacts, Sheet, write_report, write_run_report
from tidepool.report.charts import loss_chart
from tidepool.report.page import is_kaggle_digits
from tidepool.statistics import wilson

HOSTILE = ["<script>alert(1)</script>", "größe", "漢字", "שלום", '"><img src=x onerror=y>', "a" * 300]


class Page(HTMLParser):
    """Counts tags, gathers text and everything that could fetch something."""

    VOID = frozenset({"meta", "img", "br", "line", "circle", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.images: list[dict[str, str]] = []
        self.addresses: list[str] = []
        self.said: list[str] = []
        self.cells = 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = {k: v or "" for k, v in attrs}
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(found)
        self.cells += tag == "td" and found.get("class") in ("d", "e")
        self.addresses += [found[k] for k in ("src", "href", "action", "xlink:href", "srcset") if k in found]
        assert not [k for k in found if k.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())


def facts(n=200, classes=range(10), errors=20, shape=(28, 28), images=None, **more) -> ReportFacts:
    """A run with exactly ``errors`` errors among ``n`` held-back pictures; the first errors are the worst."""
    classes = np.array(list(classes))
    k = len(classes)
    rng = np.random.default_rng(0)
    truth = np.arange(n) % k
    said = np.where(np.arange(n) < errors, (truth + 1) % k, truth)
    p = np.full((n, k), 0.1 / k)
    p[np.arange(n), said] += 0.9
    p[np.arange(n), said] += np.linspace(0.05, 0, n)
    p /= p.sum(axis=1, keepdims=True)
    given = {
        "title": "pictures.npz",
        "metrics": {
            "validation": {"accuracy": 1 - errors / n, "n": n},
            "train": {"seconds": 12.34, "images_per_second": 5000.0, "epochs": 3.0},
            "model": {"parameters": 136498},
            "device": "cpu",
        },
        "history": [
            {"epoch": e, "train_loss": 2 / e, "valid_loss": 1.9 / e, "valid_accuracy": 1 - 0.3 / e, "seconds": 1.0}
            for e in (1, 2, 3)
        ],
        "classes": classes,
        "held_images": rng.integers(0, 256, (n, *shape), dtype=np.uint8) if images is None else images,
        "held_truth": truth,
        "held_probabilities": p,
        "held_ids": 1000 + np.arange(n),
        "layer_table": "#  name\n0  conv1",
        "audit": {"verdict": "clean", "findings": []},
        "command": "tidepool run 'a & b.npz'",
        "versions": {"tidepool": "0.1.0"},
        "seed": 7,
        "sources": [("somewhere/pictures.npz", "ab" * 32)],
    }
    return ReportFacts(**{**given, **more})


@pytest.fixture
def page(tmp_path):
    def write(given: ReportFacts) -> Page:
        write_report(tmp_path / "deep" / "report.html", given)
        assert [p.name for p in (tmp_path / "deep").iterdir()] == ["report.html"]
        return Page((tmp_path / "deep" / "report.html").read_text(encoding="utf-8"))

    return write


def test_the_answer_comes_first_with_its_interval(page):
    found = page(facts(n=200, errors=20))
    low, high = wilson(180, 200)
    assert f"95 % interval {100 * low:.2f} to {100 * high:.2f} %" in found.text
    assert "95 % interval 85.06 to 93.43 %" in found.text
    assert found.text.index("90.00 %") < found.text.index("Learning")
    for fact in ("200 held-back pictures", "20 errors", "12.3 s", "136,498", "pictures.npz"):
        assert fact in found.text


def test_nothing_is_fetched_and_nothing_runs(page):
    found = page(facts())
    assert found.addresses
    assert all(a.startswith(("data:image/png;base64,", "#")) for a in found.addresses)
    assert not {"script", "link", "iframe", "object"} & set(found.tags)
    targets = [a for a in found.addresses if a.startswith("#")]
    assert len(targets) == len(set(targets)) >= 4


def test_there_is_no_address_of_another_host_in_the_file(tmp_path):
    write_report(tmp_path / "r.html", facts())
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "//" not in re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("where", ["classes", "title", "ids", "source"])
def test_what_comes_from_outside_is_escaped(page, where):
    nasty = "<script>alert(1)</script>\"'><b onclick=x>"
    more = {
        "classes": {"classes": HOSTILE},
        "title": {"title": nasty},
        "ids": {"held_ids": np.array([nasty] * 200)},
        "source": {"sources": [(nasty, nasty)], "command": nasty, "versions": {nasty: nasty}, "layer_table": nasty},
    }[where]
    found = page(facts(**more))
    assert "script" not in found.tags
    assert "<script>alert(1)</script>" in found.text


def test_a_file_name_that_is_no_utf8_does_not_cost_the_report(page):
    assert "pict?re.npz" in page(facts(sources=[("pict\udcffre.npz", "")])).text


def test_worst_errors_are_pictures_with_id_truth_and_prediction(page):
    found = page(facts(errors=40))
    assert len(found.images) == 24
    assert found.images[0]["alt"].startswith("picture 1000, labelled 0, taken for 1 with 9")
    assert "24 of 40" in found.text


def test_few_errors_show_few_pictures(page):
    assert len(page(facts(errors=3)).images) == 3


def test_least_sure_test_rows_come_in_order_of_doubt(page):
    rng = np.random.default_rng(1)
    confidence = np.linspace(0.999, 0.2, 50)
    sheet = Sheet(rng.random((50, 8, 8)), np.array(["cat"] * 50), confidence, np.arange(50))
    found = page(facts(errors=0, test_sheet=sheet))
    assert len(found.images) == 24
    assert found.images[0]["alt"] == "test picture 49, taken for cat with 20.0 %"


def test_augmentation_is_shown(page):
    found = page(facts(errors=0, augmentation=np.zeros((48, 28, 28), np.uint8), augmentation_name="affnist"))
    assert len(found.images) == 48
    assert "affnist" in found.text


def test_no_errors_at_all(page):
    found = page(facts(errors=0))
    assert "No errors on the 200 held-back pictures" in found.text
    assert "100.00 %" in found.text
    assert "Most confused" not in found.text


def test_without_validation_it_says_so(page):
    none = dict.fromkeys(("held_images", "held_truth", "held_probabilities", "held_ids"))
    rows = [{"epoch": 1, "train_loss": 1.0, "seconds": 1.0}]
    found = page(facts(**none, metrics={"validation": None}, history=rows))
    assert "cannot say how accurate" in found.text
    assert "Worst errors" not in found.text
    empty = facts(n=1, errors=0)
    found = page(facts(held_images=empty.held_images[:0], held_truth=[], held_probabilities=np.zeros((0, 10))))
    assert "cannot say how accurate" in found.text


def test_the_barest_facts(page):
    found = page(ReportFacts("x", {}, [], np.array([0, 1])))
    assert "Not audited" in found.text


@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (32, 32, 3), (20, 30, 4), (9, 9, 2), (500, 400, 3)])
def test_any_frame(page, shape):
    found = page(facts(n=30, errors=5, shape=shape, classes=["no", "yes"]))
    assert len(found.images) == 5


def test_confusion_matrix_holds_the_counts(page):
    found = page(facts(n=200, errors=20))
    assert found.cells == 20  # ten on the diagonal, ten kinds of error
    assert "90.0 % 20" in found.text


def test_forty_classes_get_a_table_and_more_only_pairs(page):
    assert page(facts(classes=range(40))).cells == 60
    found = page(facts(classes=range(41)))
    assert found.cells == 0
    assert "41 classes are too many" in found.text
    assert "Most confused" in found.text


def test_a_class_without_held_back_pictures(page):
    assert "–" in page(facts(n=5, errors=1)).text


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        (None, "Not audited"),
        ({"verdict": None}, "Not audited"),
        ({"verdict": "clean"}, "prepared like the training images"),
        ({"verdict": "different-source", "findings": []}, "another source"),
        ({"verdict": "undecided", "candidates": [[{"fault": "a"}], [{"fault": "b"}]]}, "cannot tell how: a or b."),
        ({"verdict": "fault", "findings": [{"fault": "transposed", "in": "test"}]}, "transposed (in the test set)"),
        (
            {
                "verdict": "fault",
                "repaired": True,
                "findings": [
                    {
                        "fault": "gamma",
                        "in": "test",
                        "repair": "take the root",
                        "parameters": {"gamma": 2.2},
                        "confidence": 0.987,
                        "evidence": ["<b>quantiles</b>"],
                        "cost": {"accuracy_as_is": 0.5, "accuracy_repaired": 0.99},
                        "exact": False,
                    }
                ],
            },
            "repaired before training: gamma",
        ),
        ({"verdict": "fault", "findings": [{"fault": "frame-size", "in": "test", "harmless": True}]}, "harmless"),
    ],
)
def test_the_verdict_in_words(page, audit, said):
    found = page(facts(audit=audit))
    assert said in found.text
    if audit and audit.get("repaired"):
        assert "<b>quantiles</b>." in found.text
        assert "50.0 % as it is, 99.0 % repaired" in found.text


def test_evidence_that_findings_share_is_said_once(page):
    shared = {"in": "test", "evidence": ["moments agree"]}
    audit = {"verdict": "fault", "findings": [{"fault": "inverted", **shared}, {"fault": "transposed", **shared}]}
    assert page(facts(audit=audit)).text.count("Moments agree.") == 1


def test_the_article_stands_only_beside_kaggles_digits(page):
    assert "99.22" not in page(facts()).text
    assert "99.22" in page(facts(title="kaggle-digits")).text
    assert is_kaggle_digits(facts(sources=[("/data/kaggle/train.csv.gz", "")]))
    assert not is_kaggle_digits(facts(sources=[("/data/kaggle/train.csv.gz", "")], classes=["cat", "dog"]))
    assert not is_kaggle_digits(facts(title="mnist"))


def test_a_labelled_test_set_is_scored_too(page):
    assert "50.00 % of the 10 labelled test pictures" in page(facts(metrics={"test": {"accuracy": 0.5, "n": 10}})).text


def test_how_to_repeat_it(page):
    found = page(facts())
    for text in ("tidepool run 'a & b.npz'", "ab" * 32, "seed 7"):
        assert text in found.text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_broken_history_draws_what_it_can(page, value):
    rows = [{"epoch": 1, "train_loss": value}, {"epoch": 2, "train_loss": 0.5}]
    chart = loss_chart(rows)
    assert chart is not None
    assert len(chart.lines) == 1
    assert "nan" not in chart.lines[0].points
    assert loss_chart([{"epoch": 1, "train_loss": value}]) is None
    page(facts(history=rows))


def test_large_photographs_do_not_swell_the_file(tmp_path):
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 256, (24, 6, 6, 3)), np.ones((1, 60, 60, 1))).astype(np.uint8)
    write_report(tmp_path / "r.html", facts(n=24, errors=24, images=smooth))
    assert (tmp_path / "r.html").stat().st_size < 1_500_000


def test_it_is_whole_or_not_there(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutsideError, match="cannot be written"):
        write_report(tmp_path / "report.html", facts())
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_matplotlib_is_not_needed(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    write_report(tmp_path / "r.html", facts())


def test_the_report_of_a_run_finds_its_facts(tmp_path):
    from tidepool.training.fit import fit
    from tidepool.training.settings import Settings

    rng = np.random.default_rng(0)
    labels = np.array(["a", "ß"] * 20)
    pixels = rng.integers(0, 60, (40, 8, 8)) + 150 * (labels == "a")[:, None, None]
    train = ImageSet(pixels, labels, source=Source("folder/train.npz", "npz", "cd" * 32))
    test = ImageSet(pixels[:30])
    fitted = fit(train, Settings(epochs=1, stack="dense"))
    probabilities = fitted.model.predict_proba(test)
    metrics = {**fitted.metrics, "audit": {"verdict": None}}
    write_run_report(tmp_path / "r.html", fitted, metrics, train, test, probabilities, "tidepool run folder/train.npz")
    found = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    errors = round((1 - fitted.metrics["validation"]["accuracy"]) * len(fitted.held))
    warped = 0 if fitted.plans[0].recipe.is_identity else 48
    assert len(found.images) == min(errors, 24) + 24 + warped
    for text in ("train.npz", "cd" * 32, f"{40 - len(fitted.held)} pictures", "tidepool run folder/train.npz"):
        assert text in found.text
