"""Shared strings: cut where each is plainly spelled, with the result of the thorough way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.workbook import strings as room
from perfeval_xlsx.workbook.strings import read_strings

from .make import MAIN

HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<sst xmlns="{MAIN}" count="3">'
PIECES = [
    "<t>一</t>", '<t xml:space="preserve"> 二 </t>', "<t></t>", "<t/>", "<r><t>甲</t></r><r><t>乙</t></r>", "<t>a&amp;b</t>", "<t>1 > 0</t>",
    "<t>_x0041_</t>", "<t>一\n二</t>", "<t>一\r\n二</t>", "<t>文</t><rPh sb='0' eb='1'><t>wen</t></rPh>", "<t>]]&gt;</t>", "<!-- 注 --><t>三</t>",
    "<t>\x0b</t>", "<t>a</t><t>b</t>", "<t>a</si><si>b</t>", "<t >x</t>", "<t>x", "",
]  # fmt: skip
ITEM = st.tuples(st.sampled_from(PIECES[:4] * 4 + PIECES), st.sampled_from(["", "", "", "", "\n", " <!-- -->"]))


def both(part: bytes) -> tuple[object, object]:
    """What the two ways say: the strings, or the code of the refusal."""

    def read() -> object:
        try:
            return read_strings(part, "sst")
        except PerfevalError as error:
            return error.finding.code

    fast = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_read_plain", lambda *_: None)
        return fast, read()


@settings(max_examples=400, deadline=None)
@given(st.lists(ITEM, max_size=5), st.sampled_from(["</sst>", "<extLst/></sst>", "</sst><!-- -->", "", "</x>"]))
def test_both_ways_say_the_same(items: list[tuple[str, str]], after: str) -> None:
    fast, thorough = both((HEAD + "".join(f"<si>{piece}</si>{gap}" for piece, gap in items) + after).encode())
    assert fast == thorough


@pytest.mark.parametrize(
    "inserted", [b"<", b">", b"&", b"\xff", b"\0", b"\x0b", b"</si>", b"<si><t>", b"</t></si>", b"]]>"]
)
def test_damage_is_the_same_to_both_ways(inserted: bytes) -> None:
    part = (HEAD + "<si><t>一</t></si><si><t>二</t></si></sst>").encode()
    for place in range(len(part) + 1):
        fast, thorough = both(part[:place] + inserted + part[place:])
        assert fast == thorough, place


def test_a_table_in_another_namespace_is_none() -> None:
    part = b'<sst xmlns="urn:other"><si><t>1</t></si></sst>'
    assert both(part) == ([], [])


def test_plain_strings_go_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        room, "run", lambda parser, part, name: parser.Parse(part[:0] if b"<si>" in part else part, True)
    )
    part = (HEAD + '<si><t>一</t></si><si><t xml:space="preserve"> 二</t></si><si><t></t></si></sst>').encode()
    assert read_strings(part, "sst") == ["一", " 二", ""]
