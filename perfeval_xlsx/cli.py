"""The commands: options in, one call, exit code out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from perfeval_xlsx import commands
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.console import help_text as text
from perfeval_xlsx.console import log_events, speak

Language = Literal["zh", "en"]
Kind = Literal["department", "project", "transfer"]

Paths = Annotated[list[str], typer.Argument(help=text("paths"), show_default=False)]
File = Annotated[str, typer.Argument(help=text("file"), show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", "-o", help=text("out"), show_default=False)]
Keep = Annotated[bool, typer.Option("--keep", help=text("keep"))]
Rules = Annotated[list[str] | None, typer.Option("--rules", help=text("own_rules"), show_default=False)]
Reviews = Annotated[str | None, typer.Option("--reviews", help=text("reviews"), show_default=False)]
Csv = Annotated[bool, typer.Option("--csv", help=text("csv"))]
Annotate = Annotated[bool, typer.Option("--annotate", help=text("annotate"))]
Reports = Annotated[str | None, typer.Option("--reports", help=text("reports"), show_default=False)]
Roster = Annotated[str | None, typer.Option("--roster", help=text("roster"), show_default=False)]
Since = Annotated[str | None, typer.Option("--since", help=text("since"), show_default=False)]
LastYear = Annotated[list[str] | None, typer.Option("--last-year", help=text("last_year"), show_default=False)]
Due = Annotated[str | None, typer.Option("--due", help=text("due"), show_default=False)]
Passwords = Annotated[Path | None, typer.Option("--password-file", help=text("passwords"), show_default=False)]
Json = Annotated[bool, typer.Option("--json", help=text("json"))]
Lang = Annotated[Language, typer.Option("--lang", help=text("lang"), envvar="PERFEVAL_LANG", callback=speak)]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=0, help=text("jobs"))]
Executor = Annotated[str | None, typer.Option("--executor", help=text("executor"), show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help=text("dry_run"))]
JsonLog = Annotated[bool, typer.Option("--json-log", help=text("json_log"), callback=log_events)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=text("quiet"))]

app = typer.Typer(
    help=text("app"),
    epilog=text("epilog"),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut Chinese off where they should wrap it
    context_settings={"help_option_names": ["-h", "--help"]},
)
rules_app = typer.Typer(help=text("rules"))
app.add_typer(rules_app, name="rules")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help=text("version"))] = False,
) -> None:
    """Say what there is, where no command is given."""
    if context.invoked_subcommand is None:
        raise typer.Exit(commands.welcome(version=version))


@app.command(help=text("score"))
def score(
    paths: Paths,
    out: Out = None,
    keep: Keep = False,
    rules: Rules = None,
    reviews: Reviews = None,
    as_json: Json = False,
    passwords: Passwords = None,
    lang: Lang = "zh",
    jobs: Jobs = 0,
    executor: Executor = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    _json_log: JsonLog = False,
) -> None:
    """Score files and folders."""
    own, keys = tuple(rules or ()), commands.passwords(passwords)
    options = Options(
        keep=keep, rules=own, reviews=reviews, passwords=keys, lang=lang, jobs=jobs, executor=executor, isolated=True
    )  # fmt: skip
    raise typer.Exit(commands.score(paths, out, options, as_json=as_json, dry_run=dry_run, quiet=quiet))


@app.command(help=text("audit"))
def audit(
    paths: Paths,
    out: Out = None,
    annotate: Annotate = False,
    due: Due = None,
    reviews: Reviews = None,
    since: Since = None,
    roster: Roster = None,
    last_year: LastYear = None,
    reports: Reports = None,
    rules: Rules = None,
    as_json: Json = False,
    as_csv: Csv = False,
    passwords: Passwords = None,
    lang: Lang = "zh",
    jobs: Jobs = 0,
    executor: Executor = None,
    quiet: Quiet = False,
    _json_log: JsonLog = False,
) -> None:
    """Check what forms claim."""
    options = Options(
        audit=True, copies=False, annotate=annotate, due=due, reviews=reviews, since=since, roster=roster,
        last_year=tuple(last_year or ()), reports=reports, rules=tuple(rules or ()),
        passwords=commands.passwords(passwords), lang=lang, jobs=jobs, executor=executor, isolated=True,
    )  # fmt: skip
    raise typer.Exit(commands.audit(paths, out, options, as_json=as_json, as_csv=as_csv, quiet=quiet))


@app.command(help=text("watch"))
def watch(
    inbox: Annotated[Path, typer.Argument(help=text("inbox"), show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help=text("out"), show_default=False)],
    once: Annotated[bool, typer.Option("--once", help=text("once"))] = False,
    interval: Annotated[float | None, typer.Option("--interval", min=0.2, help=text("interval"))] = None,
    keep: Keep = False,
    rules: Rules = None,
    lang: Lang = "zh",
    jobs: Jobs = 0,
    quiet: Quiet = False,
    _json_log: JsonLog = False,
) -> None:
    """Watch an inbox."""
    options = Options(keep=keep, rules=tuple(rules or ()), lang=lang, jobs=jobs, isolated=True)
    raise typer.Exit(commands.watch(inbox, out, options, interval=interval, once=once, quiet=quiet))


@app.command(help=text("read"))
def read(paths: Paths, as_json: Json = False, passwords: Passwords = None, lang: Lang = "zh") -> None:
    """Show forms as they were understood."""
    options = Options(passwords=commands.passwords(passwords), lang=lang)
    raise typer.Exit(commands.read(paths, options, as_json=as_json))


@app.command(help=text("explain"))
def explain(
    file: File,
    what: Annotated[str, typer.Argument(metavar="CELL_OR_NAME", help=text("what"), show_default=False)],
    rules: Rules = None,
    passwords: Passwords = None,
    lang: Lang = "zh",
) -> None:
    """Explain one score."""
    options = Options(rules=tuple(rules or ()), passwords=commands.passwords(passwords), lang=lang)
    raise typer.Exit(commands.explain(file, what, options))


@app.command(help=text("template"))
def template(
    out: Annotated[Path, typer.Option("--out", "-o", help=text("out"), show_default=False)],
    kind: Annotated[Kind | None, typer.Option("--kind", help=text("kind"), show_default=False)] = None,
    rules: Annotated[str | None, typer.Option("--rules", help=text("rulebook"), show_default=False)] = None,
    name: Annotated[list[str] | None, typer.Option("--name", help=text("name"), show_default=False)] = None,
    listed: Annotated[Path | None, typer.Option("--list", help=text("listed"), show_default=False)] = None,
    source: Annotated[Path | None, typer.Option("--from", help=text("source"), show_default=False)] = None,
    year: Annotated[int | None, typer.Option("--year", help=text("year"), show_default=False)] = None,
    lang: Lang = "zh",
) -> None:
    """Write blank forms."""
    names = tuple(name or ())
    raise typer.Exit(commands.template(out, kind, rules, names, listed=listed, source=source, year=year, lang=lang))


@rules_app.callback(invoke_without_command=True)
def rules_start(context: typer.Context, lang: Lang = "zh") -> None:
    """List the rulebooks, where no more is asked for."""
    if context.invoked_subcommand is None:
        raise typer.Exit(commands.list_rules(lang))


@rules_app.command("list", help=text("rules_list"))
def list_rules(lang: Lang = "zh") -> None:
    """List the rulebooks."""
    raise typer.Exit(commands.list_rules(lang))


@rules_app.command("show", help=text("rules_show"))
def show_rules(
    rulebook: Annotated[str, typer.Argument(help=text("rulebook"), show_default=False)], lang: Lang = "zh"
) -> None:
    """Show a rulebook."""
    raise typer.Exit(commands.show_rules(rulebook, lang))


@rules_app.command("checks", help=text("rules_checks"))
def list_checks(lang: Lang = "zh") -> None:
    """List the audit checks."""
    raise typer.Exit(commands.list_checks(lang))


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    commands.run_guarded(app)
