"""What a cell shows: a table of values under formats, as Excel shows them in Chinese."""

from __future__ import annotations

import openpyxl.styles.numbers as vocabulary
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.workbook.display import compiled, show
from perfeval_xlsx.workbook.styles import BUILTIN

GOLDEN = {
    "General": {0.973: "0.973", 1 / 3: "0.333333333", 1e10: "10000000000", 1e11: "1E+11", 1e-5: "0.00001", 0.1 + 0.2: "0.3",
                1234567.891: "1234567.891", -12.5: "-12.5", 12345678901.5: "12345678902", 1e-10: "1E-10"},
    "@": {0.973: "0.973", 100: "100"},
    "0": {0.973: "1", 12.5: "13", 0.5: "1", 2.5: "3", -1: "-1", 45291.75: "45292"},
    "0.0": {99.995: "100.0", 0: "0.0", -45.6: "-45.6"},
    "0.00": {0.973: "0.97", 2.675: "2.68", 1.005: "1.01", 100: "100.00", -0.005: "-0.01"},
    "#,##0": {1234567.891: "1,234,568", 999: "999", 1000: "1,000", 0: "0", -1234: "-1,234"},
    "#,##0.00": {1234.5678: "1,234.57", 0.5: "0.50"},
    "0%": {0.973: "97%", 1: "100%", 0.005: "1%"},
    "0.00%": {0.973: "97.30%", 1: "100.00%", 0: "0.00%", 1.3: "130.00%", 0.9999999: "100.00%"},
    "0.0%": {0.9995: "100.0%", 1 / 3: "33.3%"},
    '0.00"万元"': {1234.5: "1234.50万元", -3: "-3.00万元"},
    "0.00_ ": {12.5: "12.50"},
    "0.00_);(0.00)": {12.5: "12.50", -12.5: "(12.50)"},
    "0.00_);[Red]\\(0.00\\)": {-1: "(1.00)"},
    '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ': {1234.5: "1,234.50", -1: "-1.00", 0: "-"},
    '"¥"#,##0.00;"¥"-#,##0.00': {1234.5: "¥1,234.50", -1: "¥-1.00"},
    "[$¥-804]#,##0.00": {12.5: "¥12.50"},
    '[>=100]"高"0;[<0]"负"0;0.0': {1234: "高1234", 12.5: "12.5", -1: "负1"},
    '[=1]"是";[=0]"否";0': {1: "是", 0: "否", 2: "2"},
    '0;-0;"零"': {3: "3", -3: "-3", 0: "零"},
    ";;;": {3: "", -3: "", 0: ""},
    "0;;": {3: "3", -3: "", 0: ""},
    "0.##": {1: "1.", 1.5: "1.5", 1.256: "1.26"},
    "000": {7: "007"},
    "0.0,": {1234.5678: "1.2"},
    '0,,"百万"': {1234567.891: "1百万"},
    "0.00E+00": {1234.5678: "1.23E+03", 0: "0.00E+00"},
    "##0.0E+0": {1234567.891: "1.2E+6", 12.5: "12.5E+0"},
    "# ?/?": {12.5: "12 1/2", 0.5: "1/2", 3: "3"},
    "0 ?/?": {0.5: "0 1/2", 1.25: "1 1/4"},
    "# ??/??": {0.1: "1/10", 2: "2"},
    '0"分"': {8: "8分"},
    '"≥"0%': {0.95: "≥95%"},
    "≥0": {12: "≥12"},
    'General"人"': {30: "30人"},
    'G/通用格式"人"': {30: "30人"},
    "yyyy/m/d": {45291: "2023/12/31", 60: "1900/2/29", 61: "1900/3/1", 1: "1900/1/1", -1: "-1"},
    "yyyy-mm-dd": {45292: "2024-01-01"},
    'yyyy"年"m"月"d"日"': {45291: "2023年12月31日"},
    "yyyy年m月": {45291: "2023年12月"},
    'm"月"d"日"': {45199: "9月30日"},
    "[$-804]yyyy\"年\"m\"月\"d\"日\";@": {45291: "2023年12月31日"},
    "[DBNum1]yyyy\"年\"m\"月\"d\"日\"": {45291: "二〇二三年十二月三十一日"},
    "[DBNum2]0": {12: "壹贰"},
    "[DBNum1]General": {1204: "一千二百〇四"},
    "aaaa": {45291: "星期日"},
    "yyyy/m/d h:mm": {45291.75: "2023/12/31 18:00"},
    "h:mm:ss": {0.5: "12:00:00", 0.999999: "0:00:00"},
    "h:mm AM/PM": {0.75: "6:00 PM"},
    '上午/下午h"时"mm"分"': {0.75: "下午6时00分"},
    "[h]:mm": {1.5: "36:00"},
    "mm:ss.0": {0.5: "00:00.0"},
    "mmm-yy": {45291: "Dec-23"},
}  # fmt: skip


@pytest.mark.parametrize("code", GOLDEN)
def test_a_value_shows_as_a_person_sees_it(code: str) -> None:
    assert {value: show(value, code) for value in GOLDEN[code]} == GOLDEN[code]


@pytest.mark.parametrize("code", [*GOLDEN, *BUILTIN.values(), "General%", "0.00E+00"])
def test_the_largest_and_smallest_numbers_show_somehow(code: str) -> None:
    for value in (1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 2958466.0, -0.0):
        assert isinstance(show(value, code), str)
        assert isinstance(show(-value, code), str)


def test_text_sections_shape_text() -> None:
    assert compiled('0;0;0;"单位："@').text("市教育局") == "单位：市教育局"
    assert compiled("@").text("原样") == "原样"
    assert compiled(";;;").text("不见") == ""


@settings(max_examples=300, deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.text('0#?.,%;E+-/\\"[]<>=年月ymdhs@*_ GeneralDBNum1', max_size=20),
)
def test_any_code_shows_any_number_without_failing(value: float, code: str) -> None:
    assert isinstance(show(value, code), str)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_decimals_agree_with_decimal_arithmetic(cents: int, places: int) -> None:
    value = cents / 1000
    code = "0." + "0" * places if places else "0"
    shown = show(value, code)
    assert abs(float(shown) - value) <= 0.5 * 10**-places + 1e-6
    assert show(value, "#,##0" + code[1:]).replace(",", "") == shown


def test_the_built_in_formats_are_those_of_the_standard() -> None:
    """Where openpyxl's list and ours differ, the difference is the Chinese spelling of dates and money."""
    for number, code in vocabulary.BUILTIN_FORMATS.items():
        same_kind = compiled(code).date == compiled(BUILTIN[number]).date
        assert same_kind, number
        if number in {0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 48, 49}:
            assert BUILTIN[number] == code
