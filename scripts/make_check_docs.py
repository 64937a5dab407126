"""Write the list of audit checks, ``docs/checks.md``, from the data the audit itself works with.

Run it as ``python scripts/make_check_docs.py [FILE]``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from perfeval_xlsx.scoring.audit import Check, checks_list

OUT = Path(__file__).parent.parent / "docs" / "checks.md"
HEAD = """\
# Audit checks

<!-- Written by scripts/make_check_docs.py from data/checks.toml and data/messages_audit.toml. -->

What `perfeval audit` looks for. **Severity**: error – arithmetic, or a stop in a filing system; warning – auditors
deduct for it; hint – worth a look. A form without a column a check **needs** is passed over by it. A rulebook switches
a check off or changes its parameters:

```toml
[checks]
article = "临财绩〔2024〕3号第十二条"
support = "filed"

[checks.C07]
bands = [1.5, 2.0]

[checks.T04]
enabled = false
```

`perfeval rules checks` prints the same list.
"""


def main(arguments: list[str]) -> None:
    """Write the page to ``docs/checks.md`` or to the file named."""
    target = Path(arguments[0]) if arguments else OUT
    target.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """The whole page."""
    both = zip(checks_list("zh"), checks_list("en"), strict=True)
    blocks = [HEAD]
    for (chinese, english), checks in groupby(both, key=lambda pair: (pair[0].family, pair[1].family)):
        blocks.append(f"## {english} · {chinese}\n")
        blocks += ["\n".join(_check(zh, en)) for zh, en in checks]
    return "\n".join(blocks)


def _check(zh: Check, en: Check) -> Iterator[str]:
    yield f"### {en.code} {en.title} · {zh.title}\n"
    yield f"- **{en.severity}**: {_line(en.message)} · {_line(zh.message)}"
    for (severity, english), (_, chinese) in zip(en.variants, zh.variants, strict=True):
        yield f"- **{severity}**: {_line(english)} · {_line(chinese)}"
    yield f"- basis: {_line(en.basis)} · {_line(zh.basis)}"
    yield f"- suggestion: {_line(en.suggestion)} · {_line(zh.suggestion)}"
    if en.needs:
        yield f"- needs: {', '.join(en.needs)}"
    if en.uses:
        yield f"- uses: {', '.join(en.uses)}"
    for one, other in zip(en.parameters, zh.parameters, strict=True):
        yield f"- `{one.name}` = {_value(one.default)}: {one.meaning} · {other.meaning}"
    if en.across:
        yield "- compares the forms of a whole run"
    yield ""


def _line(template: str) -> str:
    """A message with its values as words in angle brackets; the article of the row where the rulebook gives it."""
    return template.replace("{basis}", "the rule's sentence with its article").replace("{", "‹").replace("}", "›")


def _value(default: Any) -> str:
    if isinstance(default, list):
        return "[" + ", ".join(_value(item) for item in default) + "]"
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    main(sys.argv[1:])
