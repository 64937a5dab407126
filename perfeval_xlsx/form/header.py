"""A block's header: its columns by the field that each label names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Column(NamedTuple):
    """One column of a block; never changed, as the headers of forms of one template share it.

    Attributes:
        label: Its label; ``group`` the one that stands over it and others.
        left: First sheet column it spans; ``right`` the last one.
        rank: How sure its label names its field (``Match.rank``).
    """

    label: str
    left: int
    right: int
    group: str = ""
    rank: int = 0


@dataclass(slots=True)
class Header:
    """A block's header.

    Attributes:
        top: First header row; ``bottom`` the last one.
        columns: Column by field.
        extra: Columns under labels that are not ours, from the left.
        double: Columns that claim a field another column has, by field.
        damaged: The label meant, by columns whose own is damaged.
    """

    top: int
    bottom: int
    columns: dict[str, Column] = field(default_factory=dict)
    extra: list[Column] = field(default_factory=list)
    double: dict[str, list[Column]] = field(default_factory=dict)
    damaged: list[tuple[Column, str]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Leftmost column of the block's fields."""
        return min(column.left for column in [*self.columns.values(), *self.extra])

    @property
    def right(self) -> int:
        """Rightmost column of the block."""
        return max(column.right for column in [*self.columns.values(), *self.extra])

    def same_columns(self, other: Header) -> bool:
        """Whether another header names the same fields in the same columns (a header repeated on the next page)."""
        return {f: (c.left, c.right) for f, c in self.columns.items()} == {
            f: (c.left, c.right) for f, c in other.columns.items()
        }

    def copy(self) -> Header:
        """A header of the same columns, to be changed."""
        double = {name: others.copy() for name, others in self.double.items()}
        return Header(self.top, self.bottom, self.columns.copy(), self.extra.copy(), double, self.damaged.copy())

    def widen(self, column: Column, right: int) -> Column:
        """Let a column of the header reach to another last sheet column; return it as it is now."""
        wide = column._replace(right=right)
        for name, own in self.columns.items():
            self.columns[name] = wide if own is column else own
        for others in (self.extra, *self.double.values()):
            others[:] = [wide if own is column else own for own in others]
        self.damaged[:] = [(wide if own is column else own, meant) for own, meant in self.damaged]
        return wide
