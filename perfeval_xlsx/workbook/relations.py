"""Content types and relationships: which part is the workbook, which part is which sheet."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from perfeval_xlsx.workbook.xml import parse


class Relation(NamedTuple):
    """One relationship.

    Attributes:
        kind: Last piece of its type (``worksheet``, ``styles`` …), the same for transitional and strict files.
        target: Member name it points to; an empty string for an external target.
    """

    kind: str
    target: str


class _Collector:
    """Collects the attributes of elements by local name."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.found.append((name.rpartition(" ")[2], attributes))


@lru_cache(maxsize=256)
def read_relations(part: bytes, name: str, source: str, depth: int) -> dict[str, Relation]:
    """Return relationships by id, not to be changed: parts that are spelled alike are read once.

    Args:
        part: Bytes of the ``.rels`` part.
        name: Its name, for messages.
        source: The part it belongs to (``xl/workbook.xml``; empty for the package).
        depth: Deepest nesting allowed.
    """
    collector = _Collector()
    parse(part, name, depth, collector.start)
    relations: dict[str, Relation] = {}
    for tag, attributes in collector.found:
        if tag == "Relationship" and "Id" in attributes:
            kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2]
            external = attributes.get("TargetMode") == "External"
            target = "" if external else resolve(source, attributes.get("Target", ""))
            relations.setdefault(attributes["Id"], Relation(kind, target))
    return relations


def resolve(source: str, target: str) -> str:
    """Return the member name of a target, absolute (``/xl/a.xml``) or relative to ``source``, percent-decoded."""
    plain = unquote(target.partition("#")[0]).replace("\\", "/")
    if plain.startswith("/"):
        return posixpath.normpath(plain.lstrip("/"))
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), plain))


def relations_of(source: str) -> str:
    """Return the name of the part that holds ``source``'s relationships."""
    folder, _, name = source.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


@lru_cache(maxsize=64)
def read_types(part: bytes, name: str, depth: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return content types by lower-case part name and by lower-case extension; not to be changed, as above."""
    collector = _Collector()
    parse(part, name, depth, collector.start)
    overrides: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for tag, attributes in collector.found:
        kind = attributes.get("ContentType", "")
        if tag == "Override":
            overrides[attributes.get("PartName", "").lstrip("/").lower()] = kind
        elif tag == "Default":
            defaults[attributes.get("Extension", "").lower()] = kind
    return overrides, defaults
