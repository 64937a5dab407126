"""Cells of a plainly spelled sheet, whose texts are read already: a cell is made when it is asked for, and few are."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, Sequence, ValuesView
from typing import Any

from perfeval_xlsx.workbook.cells import Cell
from perfeval_xlsx.workbook.layout import CELL, ROW_END, PlainRow, RowPlaces, cell_mark, column_of
from perfeval_xlsx.workbook.spellings import Spelled

Place = tuple[int, int]


class RowCells(MutableMapping[Place, Cell]):
    """The cells that hold something, by row and column, as a dictionary of them would hand them over.

    They are all made as soon as anything is asked but single cells.

    Args:
        part: The sheet part's bytes.
        places: Where all its rows stand, whose cells are plainly spelled.
        strings: The workbook's shared strings.
        spelled: What cells hold by their spelling.
        filled: True where it is known that there are any.
    """

    __slots__ = ("_filled", "_made", "_part", "_places", "_spelled", "_strings")

    def __init__(
        self, part: bytes, places: RowPlaces, strings: Sequence[str], spelled: Spelled, *, filled: bool
    ) -> None:
        self._part, self._places, self._strings, self._spelled, self._filled = part, places, strings, spelled, filled
        self._made: dict[Place, Cell] | None = None

    def get(self, place: Place, default: Any = None, /) -> Any:
        """Return one cell."""
        if self._made is not None:
            return self._made.get(place, default)
        start, part = self._places.find(*place), self._part
        if start < 0:
            return default
        start += len(cell_mark(*place))
        last = part.find(ROW_END, start)
        end = part.find(CELL, start, last)
        cell = self._cell(part[start : last if end < 0 else end])
        return default if cell is None else cell

    def __getitem__(self, place: Place) -> Cell:
        cell: Cell | None = self.get(place)
        if cell is None:
            raise KeyError(place)
        return cell

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and len(place) == 2 and self.get(place) is not None

    def __bool__(self) -> bool:
        return self._filled if self._made is None and self._filled else bool(self._all())

    def __iter__(self) -> Iterator[Place]:
        return iter(self._all())

    def keys(self) -> KeysView[Place]:
        """Return all places."""
        return self._all().keys()

    def values(self) -> ValuesView[Cell]:
        """Return all cells."""
        return self._all().values()

    def items(self) -> ItemsView[Place, Cell]:
        """Return all places with their cells."""
        return self._all().items()

    def __len__(self) -> int:
        return len(self._all())

    def __setitem__(self, place: Place, cell: Cell) -> None:
        self._all()[place] = cell

    def __delitem__(self, place: Place) -> None:
        del self._all()[place]

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> dict[Place, Cell]:
        """Return all cells, made now where they were not."""
        if self._made is None:
            made: dict[Place, Cell] = {}
            for number, row in self._places.rows().items():
                mark = b'%d"' % number
                for item in self._part[row[3] : row[4]].split(CELL)[1:] if isinstance(row, PlainRow) else ():
                    letters, _, held = item.partition(mark)
                    cell = self._cell(held)
                    if cell is not None:
                        made[number, column_of(letters)] = cell
            self._made = made
        return self._made

    def _cell(self, held: bytes) -> Cell | None:
        """Return the cell of what is spelled behind its address, None where nothing stands in it."""
        cell = self._spelled[held]
        return cell if isinstance(cell, Cell) else self._spelled.text(cell, self._strings) if cell else None
