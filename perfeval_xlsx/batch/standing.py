"""Whether the reports of an output folder are still what was written; those that somebody changed are set aside."""

from __future__ import annotations

from pathlib import Path

from perfeval_xlsx.batch.copies import Aside, facts_of
from perfeval_xlsx.batch.discover import digest_of
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.reports import report_paths
from perfeval_xlsx.data import load

_NOTE = "written"


def note_reports(manifest: Manifest, out: Path) -> None:
    """Keep size, time and digest of every report and list as it was just written."""
    names = [*(path.name for path in report_paths(out)), *(manifest.noted("returns") or ())]
    manifest.note(_NOTE, {name: [*(facts_of(out / name) or ()), digest_of(out / name)] for name in names})


def reports_stand(manifest: Manifest, out: Path) -> bool:
    """Whether all reports and lists are there as they were written; decisions may have been typed into one."""
    noted = manifest.noted(_NOTE)
    return noted is not None and all(_stands(out, name, facts) for name, facts in noted.items())


def take_changed(manifest: Manifest, aside: Aside) -> None:
    """Set aside every report and list that somebody has changed, before it is written anew.

    The table of decisions is not among them: whoever writes it takes them over or keeps it.
    """
    for name, facts in (manifest.noted(_NOTE) or {}).items():
        if name != load("run.toml")["outputs"]["reviews"] and not _stands(manifest.folder, name, facts):
            aside.take(name)


def stands(manifest: Manifest, name: str) -> bool:
    """Whether one report or list is there as it was written."""
    return _stands(manifest.folder, name, (manifest.noted(_NOTE) or {}).get(name, []))


def _stands(out: Path, name: str, facts: list[object]) -> bool:
    path, now = out / name, facts_of(out / name)
    if now is None:
        return False
    if [*now] == facts[:2]:
        return True
    if name == load("run.toml")["outputs"]["reviews"]:
        from zipfile import is_zipfile  # seldom needed

        return is_zipfile(path)
    return bool(facts) and now[0] == facts[0] and digest_of(path) == facts[-1]
