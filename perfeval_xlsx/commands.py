"""What each command does with its options: one call into the library, words to the console, an exit code back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from perfeval_xlsx import __version__, closing, console
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError

if TYPE_CHECKING:
    from perfeval_xlsx.batch.options import Options
    from perfeval_xlsx.batch.run import Outcome, Run
    from perfeval_xlsx.form.model import Kind

USAGE, NOTHING, INTERRUPTED = 2, 3, 130
_USAGE = ("B44", "B48", "B70", "B74", "L04", "Q01", "Q02", "Q03", "U07", "U08", "V01", "V10", "V11")
_CODES = dict.fromkeys(_USAGE, USAGE) | dict.fromkeys(("B40", "B46"), NOTHING)
"""Exit code by the finding that ended a command; any other ends it with 1."""


def run_guarded(command: Callable[..., object]) -> None:
    """Run the command line; whatever happens, a person gets a message and the process an exit code, never a traceback.

    Args:
        command: Reads the arguments and runs what they name; returns an exit code, None for 0.

    Raises:
        SystemExit: Always.
    """
    console.prepare_streams()
    try:
        code = command(standalone_mode=False)  # what is mistyped comes up here instead of being told in English
        sys.exit(code if isinstance(code, int) else 0)
    except PerfevalError as error:
        console.tell_finding(error.finding, console.language())
        sys.exit(_CODES.get(error.finding.code, 1))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader went away; what is still buffered must not fail once more when the streams are closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from perfeval_xlsx.usage import usage_finding  # seldom needed

        mistyped = usage_finding(error)
        if mistyped is not None:
            console.log_events("--json-log" in sys.argv)  # what is mistyped may stand before it
            console.tell_finding(mistyped, console.language())
            sys.exit(USAGE)
        if os.environ.get("PERFEVAL_DEBUG"):
            raise
        finding = Finding("B42", found=type(error).__name__, args={"detail": str(error)})
        console.tell_finding(finding, console.language())
        sys.exit(1)


def welcome(*, version: bool) -> int:
    """Print the version, or what there is to do."""
    print(__version__ if version else load("console.toml")["screen"][console.language()].strip("\n"))
    return 0


def passwords(path: Path | None) -> tuple[str, ...]:
    """The passwords of a file, one a line, empty lines aside.

    Raises:
        PerfevalError: The file cannot be read (``B44``).
    """
    if path is None:
        return ()
    from perfeval_xlsx.batch.desk import brought, text_of

    lines = brought("passwords", path, text_of).splitlines()
    return tuple(line for line in lines if line)


def score(
    paths: Sequence[str], out: Path | None, options: Options, *, as_json: bool, dry_run: bool, quiet: bool
) -> int:
    """Score files and folders.

    Raises:
        PerfevalError: There is nowhere to write to (``U07``), or as ``open_run``.
    """
    if out is None and not as_json and not dry_run:
        raise PerfevalError(Finding("U07"))
    from perfeval_xlsx.batch.run import open_run

    begun = monotonic()
    with console.stopping(options.lang, quiet=quiet) as stop, open_run(paths, out, options, stop, dry=dry_run) as run:
        if dry_run:
            return _dry_run(run, options.lang)
        with console.watching(options.lang, quiet=quiet) as watch:
            outcome = run.execute(watch)
        return _conclude(run, outcome, options, monotonic() - begun, as_json=as_json, quiet=quiet)


def _conclude(
    run: Run, outcome: Outcome, options: Options, seconds: float, *, as_json: bool, quiet: bool, as_csv: bool = False
) -> int:
    """Print results and closing words of a run; return its exit code."""
    if as_json:
        from perfeval_xlsx.output.interface import json_line, score_object

        copy = options.copies or options.annotate
        console.print_json(json_line(score_object(result, copy=copy)) for result in run.results())
    if as_csv:
        from perfeval_xlsx.output.interface import csv_rows

        console.print_csv(csv_rows(run.results(rows=False)))
    if quiet:
        closing.tell_failures(run, options.lang)
    else:
        closing.tell_outcome(run, outcome, seconds, options.lang)
    return outcome.exit_code


def audit(paths: Sequence[str], out: Path | None, options: Options, *, as_json: bool, as_csv: bool, quiet: bool) -> int:
    """Check what forms claim; errors that are found make the exit code 1.

    Raises:
        PerfevalError: There is nowhere to write to (``U07``), JSON and CSV are both wanted (``U08``); as ``open_run``.
    """
    if (out is None and not as_json and not as_csv) or (as_json and as_csv):
        raise PerfevalError(Finding("U08" if as_json else "U07"))
    from perfeval_xlsx.batch.run import open_run

    begun = monotonic()
    with console.stopping(options.lang, quiet=quiet) as stop, open_run(paths, out, options, stop) as run:
        with console.watching(options.lang, quiet=quiet) as watch:
            outcome = run.execute(watch)
        seconds = monotonic() - begun
        return _conclude(run, outcome, options, seconds, as_json=as_json, as_csv=as_csv, quiet=quiet)


def watch(inbox: Path, out: Path, options: Options, *, interval: float | None, once: bool, quiet: bool) -> int:
    """Watch an inbox until told to stop: 0 for a request to end, 130 for Ctrl-C; once: 1 where a round failed."""
    from perfeval_xlsx.batch.watching.clerk import Post
    from perfeval_xlsx.batch.watching.watch import Watch

    post = Post(inbox, out, interval or float(load("watch.toml")["interval"]), once)
    with console.stopping(options.lang, quiet=quiet) as stop:
        well = Watch(post, options, stop, console.watch_log(options.lang, quiet=quiet)).run()
    if stop.is_set():
        return INTERRUPTED if stop.number == signal.SIGINT else 0
    return 0 if well else 1


def _dry_run(run: Run, lang: Lang) -> int:
    shown = [item.source.shown for item in run.pending()]
    console.print_lines(console.say("dry_run", "file", lang, path=path) for path in shown)
    console.tell_dry_run(run.files, len(shown), lang)
    return 0


def read(paths: Sequence[str], options: Options, *, as_json: bool) -> int:
    """Show every form of files and folders as it was understood."""
    from perfeval_xlsx.batch.reading import read_each
    from perfeval_xlsx.output.interface import json_line, read_object
    from perfeval_xlsx.output.outline import form_lines

    failed, lang = False, options.lang

    def lines() -> Iterator[str]:
        nonlocal failed
        for file in read_each(paths, options):
            if file.stopped is not None:
                failed |= file.stopped["status"] == "failed"
                console.tell_stopped(file.stopped, lang)
            for form in file.forms:
                yield from [json_line(read_object(form))] if as_json else form_lines(form, lang)

    if as_json:
        console.print_json(lines())
    else:
        console.print_lines(lines())
    return int(failed)


def explain(path: str, what: str, options: Options) -> int:
    """Explain one score of a workbook step by step."""
    from perfeval_xlsx.batch.reading import explain_score

    console.print_lines(iter(explain_score(path, what, options)))
    return 0


def template(
    out: Path,
    kind: Kind | None,
    rules: str | None,
    names: Sequence[str],
    *,
    listed: Path | None,
    source: Path | None,
    year: int | None,
    lang: Lang,
) -> int:
    """Write blank forms and print where they are."""
    from perfeval_xlsx.output.template import write_templates
    from perfeval_xlsx.scoring.rulebook_file import load_rulebook

    book = None if rules is None else load_rulebook(rules)
    facts = {"names": names, "indicators": listed, "source": source, "year": year}
    written = write_templates(out, kind=kind, rulebook=book, lang=lang, **facts)  # type: ignore[arg-type]
    console.print_lines(map(str, written))
    return 0


def list_rules(lang: Lang) -> int:
    """List the rulebooks."""
    from perfeval_xlsx.output.plain import rulebook_line
    from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks

    console.print_lines(rulebook_line(book, lang) for book in builtin_rulebooks())
    return 0


def show_rules(rulebook: str, lang: Lang) -> int:
    """Print a rulebook."""
    from perfeval_xlsx.scoring.rulebook_file import load_rulebook
    from perfeval_xlsx.scoring.rulebook_text import describe

    console.print_lines(iter(describe(load_rulebook(rulebook), lang).splitlines()))
    return 0


def list_checks(lang: Lang) -> int:
    """List the audit checks."""
    from perfeval_xlsx.scoring.audit import checks_list

    console.print_lines(
        console.say("rules", "check", lang, code=check.code, title=check.title, family=check.family,
                    severity=console.say("severity", check.severity, lang),
                    needs=console.say("rules", "needs", lang, needs=", ".join(check.needs)) if check.needs else "")
        for check in checks_list(lang)
    )  # fmt: skip
    return 0
