"""Sentences: column by column they say what a plain loop over the rows says; read in Chinese and English."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.scoring.explain import article_words, row_article, row_sentences
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.indicators import Scored, score_indicators
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

from .build import a_form, scored
from .test_properties import BOOKS, book_of, texts

SILENT = {"unweighted", "shared", "excluded", "missing_target", "missing_actual"}


def number(value: float) -> str:
    return "–" if np.isnan(value) else show(value)


def share(value: float) -> str:
    return "–" if np.isnan(value) else f"{show(value * 100)}%"


def typed_key(row: dict[str, Any]) -> str:
    typed, none = row["typed"], np.isnan(row["typed"])
    inside = not none and row["low"] <= float(show(typed)) <= row["high"]
    if row["status"] == "judged":
        if none:
            return "blank" if np.isnan(row["score"]) else "default"
        return "stands" if inside else "outside_open" if np.isnan(row["score"]) else "outside"
    if row["status"] == "unscorable" and not none:
        return "kept" if inside else "impossible"
    return ""


def plainly(scored_rows: Scored, book: Rulebook, lang: str) -> list[str]:
    """The reference: one row after the other."""
    words, sentences = load("methods.toml"), []
    verdicts, measured = scored_rows.verdicts, scored_rows.measured
    for i, row in enumerate(scored_rows.frame.to_dict("records")):
        method, ruled = row["method"], row["status"] == "ruled"
        part = verdicts.top[i] / verdicts.bottom[i] if ruled else verdicts.default[i]
        ratio = part if method.startswith("reverse") else verdicts.ratio[i]
        detail = str(verdicts.detail[i])
        facts = {
            "target": row["target"] or words["words"]["blank"][lang],
            "actual": row["actual"] or words["words"]["blank"][lang],
            "sign": row["sign"], "unit": measured.target.unit[i], "weight": number(row["points"]),
            "score": number(row["score"]), "low": number(row["low"]), "high": number(row["high"]),
            "self": number(row["typed"]), "days": detail, "tier": detail, "word": detail, "detail": detail,
            "ratio": "–" if np.isnan(ratio) else show_percent(ratio), "band": share(part),
            "span": share(verdicts.low[i]) + "–" + share(verdicts.high[i]), "deducted": show(scored_rows.deducted[i]),
        }  # fmt: skip
        templates = [words["words"]["facts"], words["method"][method]]
        direction = str(measured.direction[i])
        if ruled and direction and method not in {"on_time", "band"} and verdicts.ratio[i] != 1:
            templates.append(words["direction"][direction])
        templates += [words["note"]["assumed_unit"]] if measured.assumed[i] else []
        templates += [words["note"]["deducted"]] if scored_rows.deducted[i] > 0 else []
        templates += [words["typed"][typed_key(row)]] if typed_key(row) else []
        parts = [template[lang].format(**facts) for template in templates]
        parts += [article_words(row_article(book, method), lang)] if method not in SILENT else []  # type: ignore[arg-type]
        sentences.append(words["words"]["separator"][lang].join(parts))
    return sentences


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, min_size=1, max_size=12), st.sampled_from(BOOKS), st.sampled_from(["zh", "en"]))
def test_column_by_column_as_row_by_row(rows: list[dict[str, str]], name: str, lang: str) -> None:
    book, frame = book_of(name), to_frames([a_form(rows)]).indicators
    code = np.zeros(len(rows), dtype=np.int64)
    found = score_indicators(frame, np.full(len(rows), 2021.0), [book], code)
    assert row_sentences(found, [book], code, lang).tolist() == plainly(found, book, lang)  # type: ignore[arg-type]


ZH = [
    ({"target": "9月30日前", "actual": "12月15日前", "weight": "2", "score": "1"},
     "目标 9月30日前，实际 12月15日前；晚76天，规则建议得分率50%，由人工判定；自评1分在允许范围0–1.98内，予以保留；"
     "依据：各项规定均无公式；建议得分率由人工判定（本工具判断）"),
    ({"target": "≤5起", "actual": "8起", "weight": "10", "score": "5"},
     "目标 ≤5起，实际 8起；越低越好，超出目标：10×目标/实际（62.50%）；"
     "依据：办法未规定；湖北、北京海淀等地表格按目标值/实际值计分（已见于实际表格）"),
    ({"target": "100人", "actual": "96人", "weight": "10"},
     "目标 100人，实际 96人；完成目标的96.00%，按比例计分：10×96.00%；方向依据：默认越高越好；"
     "依据：财预〔2020〕10号：定量指标达到指标值得满分，未达到按完成值与指标值的比例计分，不超过分值上限（已见于实际表格）"),
    ({"target": "有效", "actual": "部分达成预期指标", "weight": "10", "score": "9"},
     "目标 有效，实际 部分达成预期指标；定性指标，填报结论属“部分达成年度指标并具有一定效果”档（得分率60%–80%）；"
     "自评9分超出允许范围6–7.99，暂按7分；依据：财预〔2020〕10号：定性指标分三档，100%–80%（含）、80%–60%（含）、60%–0%（已见于实际表格）"),
    ({"target": "≥100人", "actual": None, "weight": "10", "score": "12"},
     "目标 ≥100人，实际 （空）；未填实际完成值，无法计分；自评12分超出0–10，不予采用，留空待评"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "sentence"), ZH)
def test_sentences_in_chinese(row: dict[str, Any], sentence: str) -> None:
    assert scored(a_form([{"level3": "事项"} | row])).indicators["basis"].tolist() == [sentence]


def test_a_sentence_in_english() -> None:
    row = {"level3": "事项", "target": "≥60个", "actual": "58个", "weight": "10", "score": "9.5"}
    assert (
        scored(a_form([row]), lang="en")
        .indicators["basis"][0]
        .startswith(
            "target ≥60个, actual 58个; 96.67% of the target: in proportion, 10 × 96.67%; basis: 财预〔2020〕10号"
        )
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_template_is_there_in_both_languages(lang: str) -> None:
    for section in ("method", "typed", "direction", "note", "support", "words"):
        for key, texts_ in load("methods.toml")[section].items():
            assert texts_[lang], (section, key)


def test_curly_brackets_in_a_cell_are_only_text() -> None:
    row = {"level3": "{x}", "target": "{weight}", "actual": "{0}", "weight": "10"}
    assert scored(a_form([row])).indicators["basis"][0].startswith("目标 {weight}，实际 {0}；")


def test_a_rulebook_never_claims_more_than_its_support() -> None:
    book = load_rulebook("national-2021-core")
    assert article_words(row_article(book, "pass_line"), "zh").endswith("（未核对原文）")
    assert article_words(row_article(book, "late"), "en").endswith("(this tool's judgement)")
