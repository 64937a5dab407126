"""What holds for every value: nothing raises, spelling does not matter, units scale; and words in names and texts."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form.values import Quantity, change_of, has_negative, lower_is_better, normalise, parse_value

WORDS = tomllib.loads((Path(__file__).parent / "values" / "names.toml").read_text(encoding="utf-8"))
KINDS = {
    "number", "percent", "money", "rate", "range", "ratio", "duration", "deadline", "verdict", "text", "multiple",
    "placeholder", "blank", "unreadable",
}  # fmt: skip
PIECES = st.sampled_from(
    [
        *"≥≤><=±内约余013,.:/-~%‰万亿元人个天月年日每亩前底未一三十第各()含。、*X√是\n　",
        *(
            "不少于",
            "以上",
            "以内",
            "12",
            "2021",
            "9.5",
            "100",
            "季度",
            "完成",
            "增长",
            "降低",
            "较上年",
            "百分之",
            "达成",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=9).map("".join))
RELAXED = settings(deadline=None, max_examples=300)
FIGURES = st.integers(0, 99999).map(str) | st.decimals("0.01", "9999", places=2).map(str)
UNITS = st.sampled_from(["人", "个", "所", "元", "亩", "人次", "场", "项", "元/亩", "%", ""])


def meaning(quantity: Quantity) -> dict[str, Any]:
    facts = quantity._asdict()
    del facts["text"]
    facts["parts"] = [meaning(part) for part in quantity.parts]
    return facts


@RELAXED
@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_never_raises_and_stays_in_the_contract(
    text: str, sign: str | None, unit: str | None, name: str | None
) -> None:
    found = parse_value(text, sign, unit, name)
    assert found.kind in KINDS
    assert found.comparator in {"", ">=", ">", "<=", "<", "=", "±"}
    assert found.verdict in {"", "met", "partial", "unmet"}
    assert found.change in {"", "up", "down"}
    numeric = found.kind in KINDS - {"verdict", "text", "multiple", "placeholder", "blank", "unreadable"}
    assert numeric == (found.value is not None)
    assert found.value is None or abs(found.value) < 1e40
    assert (found.high is not None) == (found.kind == "range")
    assert found.high is None or (found.value is not None and found.value < found.high)
    assert (found.verdict != "") == (found.kind == "verdict")
    assert found.text == normalise(text)


@RELAXED
@given(TEXTS)
def test_words_never_raise(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert isinstance(lower_is_better(text), bool)
    word = has_negative(text)
    assert word is None or word in normalise(text)
    assert change_of(text) in {"", "up", "down"}


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@RELAXED
@given(st.sampled_from(["", "≥", "≤", "不少于", "="]), FIGURES, st.sampled_from(["", "万"]), UNITS)
def test_full_width_forms_do_not_matter(sign: str, figure: str, scale: str, unit: str) -> None:
    text = f"{sign}{figure}{scale}{unit}"
    assert meaning(parse_value(full_width(text))) == meaning(parse_value(text))


@RELAXED
@given(st.sampled_from(["", "≥", "≤", "不少于"]), FIGURES, st.sampled_from(["人", "万人", "%", "元/亩"]), st.data())
def test_spacing_does_not_matter(sign: str, figure: str, unit: str, data: st.DataObject) -> None:
    blank = st.sampled_from(["", " ", "\n", "　", "\t"])
    spaced = data.draw(blank).join([data.draw(blank) + sign, figure, *unit]) + data.draw(blank)
    assert meaning(parse_value(spaced)) == meaning(parse_value(sign + figure + unit))


@RELAXED
@given(FIGURES, UNITS.filter(lambda unit: unit not in {"", "%"}))
def test_units_scale(figure: str, unit: str) -> None:
    plain, wan, yi = (parse_value(f"{figure}{scale}{unit}") for scale in ("", "万", "亿"))
    assert plain.value is not None
    assert wan.value == pytest.approx(plain.value * 1e4, rel=1e-12)
    assert yi.value == pytest.approx(plain.value * 1e8, rel=1e-12)
    assert {q.unit for q in (plain, wan, yi)} == {unit}
    assert meaning(parse_value(f"{figure}", None, f"万{unit}")) == {**meaning(wan), "borrowed": True}


SAME = [
    [word for word, sign in load("values.toml")["comparator"]["before"].items() if sign == wanted]
    for wanted in (">=", ">", "<=", "<", "=")
]


@RELAXED
@given(st.sampled_from(SAME), FIGURES, UNITS, st.data())
def test_every_word_for_a_comparator_means_its_sign(
    words: list[str], figure: str, unit: str, data: st.DataObject
) -> None:
    other = data.draw(st.sampled_from(words))
    assert meaning(parse_value(f"{other}{figure}{unit}")) == meaning(parse_value(f"{words[0]}{figure}{unit}"))


@RELAXED
@given(FIGURES, UNITS, st.sampled_from(["≥", "≤", "=", ">", "<"]))
def test_a_sign_column_says_the_same_as_a_sign_in_the_cell(figure: str, unit: str, sign: str) -> None:
    assert meaning(parse_value(f"{figure}{unit}", sign)) == meaning(parse_value(f"{sign}{figure}{unit}"))


@RELAXED
@given(st.dates(), st.sampled_from(["{y}年{m}月{d}日", "{y}-{m}-{d}", "{y}/{m:02}/{d:02}", "{y}.{m}.{d}"]))
def test_a_written_day_is_that_day(day: Any, shape: str) -> None:
    if 2000 <= day.year < 2100:
        found = parse_value(shape.format(y=day.year, m=day.month, d=day.day))
        assert (found.kind, found.value, found.unit, found.first) == ("deadline", day.toordinal(), "date", None)


@pytest.mark.parametrize("name", WORDS["lower"])
def test_lower_is_better(name: str) -> None:
    assert lower_is_better(name)


@pytest.mark.parametrize("name", WORDS["not_lower"])
def test_not_lower_by_name(name: str) -> None:
    assert not lower_is_better(name)


@pytest.mark.parametrize(("text", "word"), WORDS["negative"])
def test_negative_words(text: str, word: str) -> None:
    assert has_negative(text) == (word or None)


@pytest.mark.parametrize("change", ["up", "down", "neither"])
def test_changes_in_names(change: str) -> None:
    for name in WORDS[change]:
        assert change_of(name) == ("" if change == "neither" else change), name


@pytest.mark.parametrize(
    "text", ["12月" + "(含)前" * 8000 + "x", "12月" + "(含)前" * 40 + "x", "投诉" * 16000, "和" * 32000 + "1", "5个" + "(含)以上" * 48 + "y",
             "1" * 32000, "1,111" * 6000, "缩小" * 16000, "每人" * 16000, "3-" * 99, "至" * 199 + "1"],
)  # fmt: skip
def test_hostile_texts_take_no_time(text: str) -> None:
    begin = time.perf_counter()
    parse_value(text, text, text, text)
    lower_is_better(text), has_negative(text), change_of(text)
    assert time.perf_counter() - begin < 2


def test_equal_cells_share_one_result() -> None:
    assert parse_value("≥16万人") is parse_value("≥16万人")
