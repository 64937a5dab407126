"""The rulebooks that come with the package: every number, its support, how they read, which one a form gets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.rulebook import Article, Rulebook
from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks, choose_rulebook, load_rulebook
from perfeval_xlsx.scoring.rulebook_text import describe

IDS = [
    "anhui", "beijing-haidian", "guangxi", "hubei-2020", "hunan", "national-2020", "national-2021-core", "sichuan-2023",
]  # fmt: skip
NATIONAL = load_rulebook("national-2020")
Points = dict[str, float]


def test_the_builtin_rulebooks() -> None:
    assert [book.id for book in builtin_rulebooks()] == IDS
    assert all(book.path == f"perfeval_xlsx/data/rules/{book.id}.toml" for book in builtin_rulebooks())
    assert len({book.digest for book in builtin_rulebooks()}) == len(IDS)


def numbers(book: Rulebook) -> dict[str, Any]:
    """Every number of a rulebook, flat."""
    quantitative, qualitative = book.quantitative, book.qualitative
    return {
        "execution": (book.execution.points, book.execution.base, book.execution.method, book.execution.bands),
        "finished_full": book.execution.finished_full,
        "reason_below": book.execution.reason_below,
        "reverse": quantitative.reverse,
        "pass_line": quantitative.pass_line,
        "over": (quantitative.over_hint, quantitative.over_reason),
        "deduction": quantitative.deduction_column,
        "tiers": [(tier.id, tier.low, tier.high, tier.default) for tier in qualitative.tiers],
        "presume_met": qualitative.presume_met,
        "qualitative_reason": qualitative.reason_required,
        "direct": qualitative.direct,
        "satisfaction": book.satisfaction.bands if book.satisfaction else None,
        "cost": book.cost,
        "deadline": (book.deadline.bands, book.deadline.below_weight),
        "grades": [(grade.name, grade.floor) for grade in book.grades],
        "weights": (dict(book.weights), [dict(points) for points in book.weights_alternatives]),
        "adjustable": book.weights_adjustable,
        "rounding": (book.decimals, dict(book.tolerances)),
        "checks": {code: dict(params) for code, params in book.checks.items()},
    }


USUAL: dict[str, Any] = {
    "execution": (10, "annual_budget", "proportional", ()),
    "finished_full": False,
    "reason_below": None,
    "reverse": "target_over_actual",
    "pass_line": None,
    "over": (1.2, 1.3),
    "deduction": False,
    "tiers": [("met", 0.8, 1.0, 1.0), ("partial", 0.6, 0.8, 0.7), ("unmet", 0.0, 0.6, 0.0)],
    "presume_met": True,
    "qualitative_reason": False,
    "direct": (),
    "satisfaction": None,
    "cost": None,
    "deadline": (((90, 0.5), (None, 0.0)), 0.99),
    "grades": [("优", 90), ("良", 80), ("中", 60), ("差", 0)],
    "weights": ({"产出": 50, "效益": 30, "满意度": 10, "执行": 10}, []),
    "adjustable": True,
    "rounding": (2, {0: 0.5, 1: 0.1, 2: 0.01}),
    "checks": {},
}
DIFFERENCES: dict[str, dict[str, Any]] = {
    "national-2020": {},
    "hunan": {},
    "anhui": {"reverse": "linear_to_double"},
    "beijing-haidian": {"execution": (10, "initial_budget", "proportional", ())},
    "guangxi": {"deduction": True, "qualitative_reason": True},
    "hubei-2020": {
        "execution": (20, "annual_budget", "proportional", ()),
        "tiers": [("met", 0.8, 1.0, 1.0), ("partial", 0.5, 0.8, 0.65), ("unmet", 0.0, 0.5, 0.0)],
        "weights": ({"执行": 20}, []),
    },
    "sichuan-2023": {"reason_below": 0.9, "checks": {"F06": {"reason_required": True}}},
    "national-2021-core": {
        "execution": (10, "annual_budget", "bands", ((1.0, 1.0), (0.8, 0.7), (0.6, 0.5), (0.0, 0.0))),
        "finished_full": True,
        "pass_line": 0.6,
        "direct": ("是", "否"),
        "satisfaction": ((0.9, 1.0), (0.8, 0.8), (0.6, 0.5), (0.0, 0.0)),
        "weights": (
            {"成本": 20, "产出": 40, "效益": 20, "满意度": 10, "执行": 10},
            [
                {"产出": 50, "效益": 30, "满意度": 10, "执行": 10},
                {"成本": 20, "产出": 40, "效益": 30, "执行": 10},
                {"产出": 50, "效益": 40, "执行": 10},
            ],
        ),
    },
}


@pytest.mark.parametrize("name", IDS)
def test_every_number(name: str) -> None:
    assert numbers(load_rulebook(name)) == USUAL | DIFFERENCES[name]


WORDS = {
    "national-2020": ["达成年度指标", "部分达成年度指标并具有一定效果", "未达成年度指标且效果较差"],
    "hubei-2020": ["达成预期指标", "部分达成预期指标并具有一定效果", "未达成预期指标且效果较差"],
    "national-2021-core": ["基本达成目标", "部分实现目标", "实现目标程度较低"],
}


@pytest.mark.parametrize(("name", "words"), WORDS.items())
def test_the_words_of_the_tiers(name: str, words: list[str]) -> None:
    assert [tier.name for tier in load_rulebook(name).qualitative.tiers] == words


def test_the_words_of_the_grades() -> None:
    aliases = {grade.name: set(grade.aliases) for grade in NATIONAL.grades}
    assert aliases == {"优": {"优秀"}, "良": {"良好"}, "中": {"一般", "中等", "合格"}, "差": {"较差", "不合格"}}


HEADS = [
    ("national-2020", "财预〔2020〕10号", (date(2020, 2, 25), None), (), (), False),
    ("national-2021-core", "财预〔2021〕101号", (date(2021, 8, 18), None), ("project",), (), True),
    ("hubei-2020", "湖北省绩效自评表（2020年起）", (date(2020, 1, 1), None), (), ("湖北",), False),
    ("sichuan-2023", "四川省绩效自评表（510000_0013zp，2023年度）", (date(2023, 1, 1), None), (), ("四川",), False),
    ("hunan", "湖南省绩效自评表", (None, None), (), ("湖南",), False),
    ("guangxi", "广西绩效自评表", (None, None), (), ("广西",), False),
    ("anhui", "安徽省绩效自评（预算管理一体化系统）", (None, None), (), ("安徽",), False),
    ("beijing-haidian", "北京市海淀区绩效自评表", (None, None), (), ("北京海淀",), False),
]


@pytest.mark.parametrize(("name", "document", "effective", "kinds", "provinces", "advisory"), HEADS)
def test_heads(name: str, document: str, effective: Any, kinds: Any, provinces: Any, advisory: bool) -> None:
    book = load_rulebook(name)
    assert (book.document, book.effective, book.kinds, book.provinces) == (document, effective, kinds, provinces)
    assert book.advisory is advisory


JUDGED = {"qualitative.default_source", "qualitative.presume_source", "deadline.source"}


def articles(thing: object, path: str = "") -> Iterator[tuple[str, Article]]:
    """Every article of a rulebook with where it stands."""
    for field in dataclasses.fields(thing):  # type: ignore[arg-type]
        value, here = getattr(thing, field.name), f"{path}{field.name}"
        if isinstance(value, Article):
            yield here, value
        elif dataclasses.is_dataclass(value):
            yield from articles(value, f"{here}.")


@pytest.mark.parametrize("name", IDS)
def test_support(name: str) -> None:
    """F filed, N unverified, J judgement: deadlines, defaults and presumptions are judged, unread rules unverified."""
    book = load_rulebook(name)
    whole = "unverified" if name in {"hunan", "national-2021-core"} else "filed"
    assert book.document_support == whole
    assert book.support == "judgement"
    assert {path: a.support for path, a in articles(book)} == {
        path: "judgement" if path in JUDGED else whole for path, _ in articles(book)
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", IDS)
def test_a_description_is_complete(name: str, lang: Any) -> None:
    book, words = load_rulebook(name), load("methods.toml")["support"]
    text = describe(book, lang)
    lines = text.split("\n")
    assert lines[0] == f"{name}  {book.title}"
    for _, article in articles(book):
        assert any(article.article in line and f"[{words[article.support][lang]}]" in line for line in lines)
    for fact in (book.document, book.source, *book.provinces, *(tier.name for tier in book.qualitative.tiers)):
        assert fact in text
    for band in (*book.execution.bands, *(book.satisfaction.bands if book.satisfaction else ())):
        assert all(f"{share * 100:g}%" in text for share in band)
    for points in (book.weights, *book.weights_alternatives):
        assert all(f"{dimension}{' ' * (lang == 'en')}{value:g}" in text for dimension, value in points.items())
    assert words[book.support][lang] in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_description_word_for_word(lang: Any) -> None:
    expected = Path(__file__).parent / "rulebook" / f"national-2020.{lang}.txt"
    assert describe(NATIONAL, lang) == expected.read_text(encoding="utf-8")


def own(**facts: Any) -> Rulebook:
    return dataclasses.replace(NATIONAL, effective=(None, None), digest=facts["id"], **facts)


CITY = own(id="city", provinces=("湖南株洲",))
PROJECTS = own(id="projects", provinces=("湖南",), kinds=("project",))
OLD = dataclasses.replace(CITY, id="old", provinces=("湖南",), effective=(None, date(2019, 12, 31)))
NEW = dataclasses.replace(CITY, id="new", provinces=("湖南",), effective=(date(2022, 1, 1), None))
EVERYWHERE = own(id="everywhere")

CHOICES: list[tuple[str, str | None, int | None, tuple[Rulebook, ...], str]] = [
    ("project", None, None, (), "national-2020"),
    ("department", None, 2021, (), "national-2020"),
    ("project", None, 2010, (), "national-2020"),
    ("project", "湖北省", 2022, (), "hubei-2020"),
    ("project", "湖北", 2022, (), "hubei-2020"),
    ("department", "湖 北 省", None, (), "hubei-2020"),
    ("transfer", "湖北", 2022, (), "hubei-2020"),
    ("project", "湖北", 2019, (), "national-2020"),
    ("project", "湖北", 2020, (), "hubei-2020"),
    ("project", "四川省", 2023, (), "sichuan-2023"),
    ("project", "四川省", 2022, (), "national-2020"),
    ("department", "湖南", 2021, (), "hunan"),
    ("department", "广西壮族自治区", 2021, (), "guangxi"),
    ("department", "安徽", 2021, (), "anhui"),
    ("department", "云南", 2021, (), "national-2020"),
    ("department", "北京", 2021, (), "national-2020"),
    ("department", "北京市海淀区", 2021, (), "beijing-haidian"),
    ("department", "北京海淀区", 2021, (), "beijing-haidian"),
    ("department", "火星", 2021, (), "national-2020"),
    # a bureau's own: before a built-in of the same reach, a longer place before a shorter one, a kind before none
    ("department", "湖南省株洲市", 2021, (CITY,), "city"),
    ("department", "湖南省", 2021, (CITY,), "hunan"),
    ("department", None, 2021, (EVERYWHERE,), "everywhere"),
    ("department", "湖南", 2021, (EVERYWHERE,), "hunan"),
    ("project", "湖南", 2021, (PROJECTS,), "projects"),
    ("department", "湖南", 2021, (PROJECTS,), "hunan"),
    ("department", "湖南", 2019, (OLD, NEW), "old"),
    ("department", "湖南", 2021, (OLD, NEW), "hunan"),
    ("department", "湖南", 2022, (OLD, NEW), "new"),
    ("department", "湖南", None, (OLD, NEW), "new"),
]


@pytest.mark.parametrize(("kind", "province", "year", "extra", "expected"), CHOICES)
def test_which_rulebook_a_form_gets(
    kind: str, province: str | None, year: int | None, extra: tuple[Rulebook, ...], expected: str
) -> None:
    assert choose_rulebook(kind, province, year, extra).id == expected
    assert choose_rulebook(kind, province, year, tuple(reversed(extra))).id == expected


def test_an_advisory_rulebook_is_never_chosen() -> None:
    assert choose_rulebook("project", None, 2022).id != "national-2021-core"
    advised = dataclasses.replace(CITY, id="advised", advisory=True)
    assert choose_rulebook("project", "湖南株洲", 2022, [advised]).id == "hunan"
