"""Which province a text names: golden cases, every prefecture, and texts that name none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.data import load
from perfeval_xlsx.form.province import place_of, province_of

CASES = {
    "株洲市教育局": "湖南",
    "219001-池州市贵池区棠溪镇人民政府": "安徽",
    "湖南省双牌县水利局": "湖南",
    "湖南道县教育局": "湖南",
    "湖南乡村振兴局": "湖南",
    "2022年度湖南株洲项目支出绩效自评表": "湖南",
    "中共湖北省委宣传部": "湖北",
    "国家税务总局四川省税务局": "四川",
    "西部(重庆)科学城融媒体中心": "重庆",
    "西部（重庆）科学城": "重庆",
    "上海市普陀区体育局": "上海",
    "北京市海淀区学院路街道城市运行服务中心": "北京",
    "廊坊市食品工程学校": "河北",
    "内蒙古自治区财政厅": "内蒙古",
    "广西壮族自治区林业局": "广西",
    "广西自治区林业局": "广西",
    "新疆生产建设兵团第八师": "新疆",
    "海南藏族自治州共和县": "青海",
    "海南州财政局": "青海",
    "海南省海口市财政局": "海南",
    "海口市财政局": "海南",
    "恩施州发改委": "湖北",
    "恩施土家族苗族自治州": "湖北",
    "凉山彝族自治州西昌市": "四川",
    "湘西自治州民政局": "湖南",
    "大兴安岭地区教育局": "黑龙江",
    "兴安盟扎赉特旗": "内蒙古",
    "吉林市船营区": "吉林",
    "马鞍山市水务局": "安徽",
    "鞍山市水务局": "辽宁",
    "云南通海县": "云南",
    "湖 南 省\n株 洲 市": "湖南",
    "株洲市市场监督管理局": "湖南",
    "株洲市民政局": "湖南",
    "仙桃市财政局": "湖北",
    "大理市教育局": "云南",
}
NONE = [
    "", "零陵区林业局", "县教育局", "衡山县商务和粮食局", "张庄寨镇人民政府 / 县农业农村局", "黄河南岸绿化项目",
    "鄱阳湖北部治理", "出海口清淤", "商品流通化解", "南京路街道办事处", "北京东路小学", "海南区教育局",
    "朝阳区卫健委", "资阳区林业局", "西安区财政局", "玉树临风", "安康工程", "白银市场", "日照时间监测",
    "城东营业所", "新乡村建设", "山西村委会", "河南岸街道办事处", "来宾接待中心", "大庆典活动",
    "上海市对口支援新疆喀什地区项目", "湖南省驻北京市办事处",
]  # fmt: skip


@pytest.mark.parametrize(("text", "province"), CASES.items())
def test_a_text_that_names_a_province(text: str, province: str) -> None:
    assert province_of(text) == province


@pytest.mark.parametrize("text", NONE)
def test_a_text_that_names_none_or_two(text: str) -> None:
    assert province_of(text) is None


def test_texts_together_must_agree() -> None:
    assert province_of(None, "县教育局", "2021年湖南省项目") == "湖南"
    assert province_of("株洲市教育局", "湖南省部门整体支出") == "湖南"
    assert province_of("株洲市教育局", "湖北省部门整体支出") is None
    assert province_of(None, "") is None
    assert province_of() is None


PROVINCES: dict[str, Any] = load("provinces.toml")["province"]
PREFECTURES = [(city + "市", name) for name, entry in PROVINCES.items() for city in entry.get("cities", ())]
PREFECTURES += [
    (area + ending, name) for name, entry in PROVINCES.items() for area, ending in entry.get("areas", {}).items()
]


def test_every_prefecture_is_there_once() -> None:
    names = [place for place, _ in PREFECTURES]
    assert len(PROVINCES) == 34
    assert len(set(names)) == len(names)
    # 333 prefectures, 20 cities directly under a province or region, Laiwu as it was, five more in Hainan
    assert len(names) >= 333 + 20


@pytest.mark.parametrize(("place", "province"), PREFECTURES)
def test_every_prefecture_in_a_sentence(place: str, province: str) -> None:
    assert province_of(f"{place}教育局") == province
    assert province_of(f"关于下达{place}财政局资金的通知") == province


@pytest.mark.parametrize("province", PROVINCES)
def test_every_province(province: str) -> None:
    assert province_of(province + PROVINCES[province]["suffix"] + "财政厅") == province
    assert province_of(f"2023年{province}财政厅") == province


def test_a_district_right_behind_its_municipality() -> None:
    assert place_of("北京市海淀区教育委员会") == "北京海淀区"
    assert place_of("上海市浦东新区财政局") == "上海浦东新区"
    assert place_of("北京市教育委员会") == "北京"
    assert place_of("株洲市荷塘区教育局") == "湖南"
    assert place_of("海淀区教育委员会") is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert province_of(text) in {None, *PROVINCES}
