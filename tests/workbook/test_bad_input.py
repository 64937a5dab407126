"""Whatever is handed in by mistake is named for what it is, with something a person can do."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.workbook import open_any, open_workbook

from .make import members_of, pack, parts, sheet_xml

DATA = pack(parts(sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>')))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def typed(kind: str, name: str) -> bytes:
    """A package whose main part is of another kind of document."""
    members = members_of(DATA)
    types = members["[Content_Types].xml"].decode()
    types = types.replace("/xl/workbook.xml", f"/{name}").replace("spreadsheetml.sheet.main", kind)
    rels = members["_rels/.rels"].decode().replace("xl/workbook.xml", name)
    return pack({"[Content_Types].xml": types, "_rels/.rels": rels, name: "<a/>"})


def ole(stream: str) -> bytes:
    return OLE + bytes(504) + stream.encode("utf-16-le") + bytes(512)


HTML = "<html><head><meta charset='utf-8'></head><body><table><tr><td>一</td></tr></table></body></html>"
XML_2003 = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "B03"),
    "truncated": (DATA[:-40], "B16"),
    "docx": (typed("wordprocessingml.document.main", "word/document.xml"), "B10"),
    "pptx": (typed("presentationml.presentation.main", "ppt/presentation.xml"), "B10"),
    "old doc": (ole("WordDocument"), "B10"),
    "odt": (pack({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}), "B10"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "B11"),
    "html": (HTML.encode(), "B12"),
    "html in utf-16": (HTML.encode("utf-16"), "B12"),
    "csv": ("一级指标,二级指标\r\n产出,数量\r\n".encode(), "B13"),
    "csv in gbk": ("一级指标,二级指标\r\n产出,数量\r\n".encode("gbk"), "B13"),
    "text in utf-16": ("一级指标\t二级指标\r\n".encode("utf-16"), "B13"),
    "zip of workbooks": (pack({"表.xlsx": DATA}), "B14"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(64), "B14"),
    "noise": (bytes(range(256)) * 4, "B15"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), "B15"),
    "package without workbook": (pack({"[Content_Types].xml": members_of(DATA)["[Content_Types].xml"]}), "B20"),
    "workbook without sheets": (pack(parts()), "B20"),
    "xml 2003": (XML_2003.encode(), "B25"),
}


def refused(path: Path) -> Finding:
    with pytest.raises(PerfevalError) as error:
        open_workbook(path)
    return error.value.finding


@pytest.mark.parametrize("content", CONTENTS)
def test_a_wrong_file_named_xlsx_is_called_by_its_name(content: str, tmp_path: Path) -> None:
    data, code = CONTENTS[content]
    path = tmp_path / "自评表.xlsx"
    path.write_bytes(data)
    finding = refused(path)
    assert finding.code == code
    with pytest.raises(PerfevalError) as error:
        open_any(path)
    assert error.value.finding == finding
    for lang in ("zh", "en"):
        assert "–" not in finding.text("message", lang)
        assert finding.text("suggestion", lang)


def test_a_path_that_is_no_file_is_a_finding(tmp_path: Path) -> None:
    assert refused(tmp_path / "没有.xlsx").code == "B01"
    assert refused(tmp_path / ("长" * 300 + ".xlsx")).code == "B01"
    assert refused(tmp_path / "a\0b.xlsx").code == "B04"
    (tmp_path / "夹.xlsx").mkdir()
    assert refused(tmp_path / "夹.xlsx").code == "B02"
    (tmp_path / "file").write_bytes(b"x")
    assert refused(tmp_path / "file" / "a.xlsx").code == "B01"


def test_a_lock_file_is_named_as_one(tmp_path: Path) -> None:
    path = tmp_path / "~$自评表.xlsx"
    path.write_bytes(b"\x05admin" + bytes(159))
    finding = refused(path)
    assert (finding.code, finding.severity, finding.found) == ("B05", "hint", "~$自评表.xlsx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe in the file system")
def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    assert refused(tmp_path / "pipe.xlsx").code == "B04"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(DATA)
    path.chmod(0)
    assert refused(path).code == "B04"


def encrypted(password: str) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    target = io.BytesIO()
    OOXMLFile(io.BytesIO(DATA)).encrypt(password, target)
    return target.getvalue()


def test_an_encrypted_workbook_asks_for_its_password(tmp_path: Path) -> None:
    pytest.importorskip("msoffcrypto")
    path = tmp_path / "密.xlsx"
    path.write_bytes(encrypted("123"))
    finding = refused(path)
    assert finding.code == "B06"
    assert "密码" in finding.text()


@pytest.mark.parametrize("extension", [".xls", ".et", ".bin", ".XLSX", ""])
def test_a_workbook_is_read_whatever_it_is_called(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"自评表{extension}"
    path.write_bytes(DATA)
    assert open_workbook(path).format == "xlsx"


@pytest.mark.parametrize(("kind", "expected"), [
    ("sheet.main", "xlsx"), ("template.main", "xltx"),
])  # fmt: skip
def test_the_format_is_told_by_the_content_type(kind: str, expected: str) -> None:
    members = members_of(DATA)
    types = members["[Content_Types].xml"].replace(b"spreadsheetml.sheet.main", f"spreadsheetml.{kind}".encode())
    assert open_workbook(Path("x"), data=pack(members | {"[Content_Types].xml": types})).format == expected


@pytest.mark.parametrize(("kind", "expected"), [("sheet", "xlsm"), ("template", "xltm")])
def test_macro_workbooks_are_read(kind: str, expected: str) -> None:
    members = members_of(DATA)
    old = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    new = f"application/vnd.ms-excel.{kind}.macroEnabled.main+xml".encode()
    types = members["[Content_Types].xml"].replace(old, new)
    assert open_workbook(Path("x"), data=pack(members | {"[Content_Types].xml": types})).format == expected


READERS: list[Callable[[Path], object]] = [open_workbook, lambda path: open_workbook(str(path))]


@pytest.mark.parametrize("reader", READERS)
def test_paths_may_be_strings(reader: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(DATA)
    assert reader(tmp_path / "a.xlsx") is not None
