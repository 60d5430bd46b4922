"""How far a run is, on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from regraft.trial.stored.drive import News

QUIET_SECONDS = 60.0  # between two lines where there is no terminal

Shown = tuple["Callable[[News], None]", Callable[[str, int, int], None]]


@contextmanager
def shown_progress(*, shown: bool, trials: int = 1) -> Iterator[Shown]:
    """Yield two functions: one takes the news of chunks, the other stages, work done and work to do.

    Parameters
    ----------
    trials : how often the trial is run in all
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield _lines(trials) if shown else (lambda news: None, lambda stage, done, total: None)
        return
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {"prepare": progress.add_task("prepare", total=None, detail="")}

        def show(stage: str, done: int, total: int, detail: str = "") -> None:
            progress.update(tasks["prepare"], visible=False)
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total, detail=detail)
            progress.update(tasks[stage], completed=done, total=total, detail=detail)

        yield (lambda news: show("patients", news.done, news.wanted, detail_of(news, trials))), show


def detail_of(news: News, trials: int = 1) -> str:
    """Return which repetition of the trial it is, failed runs, rate and time left in words."""
    parts = [f"trial {news.trial + 1} of {trials}"] if trials > 1 else []
    parts += [f"{news.failed} runs failed"] if news.failed else []
    if news.rate > 0:
        parts.append(f"{news.rate:.3g} patients per second")
    if news.done < news.wanted and math.isfinite(news.seconds_left):
        parts.append(f"{time_text(news.seconds_left)} left")
    return ", ".join(parts)


def time_text(seconds: float) -> str:
    """Return a length of time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _lines(trials: int) -> Shown:
    """Return functions that write a line when a stage is done, and for long ones now and then."""
    told, last = time.monotonic(), (-1, -1)

    def show(stage: str, done: int, total: int) -> None:
        if done == total:
            typer.echo(f"{stage}: {done} of {total}", err=True)

    def show_news(news: News) -> None:
        nonlocal told, last
        now, place = time.monotonic(), (news.trial, news.done)
        is_end = news.done == news.wanted and news.trial in (0, trials - 1)
        if last == place or not (is_end or now - told >= QUIET_SECONDS):
            return
        told, last = now, place
        detail = "" if is_end and trials == 1 else detail_of(news, trials)
        text = f"patients: {news.done} of {news.wanted}"
        typer.echo(f"{text}, {detail}" if detail else text, err=True)

    return show_news, show
