"""The doors to the numbers of published results: for fitting, for scoring, for showing. Each look is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from regraft.errors import InvalidField, RegraftError, UsageError
from regraft.evidence.clusters import Clusters, kept_row_sharing, load_clusters, use_the_same_patients
from regraft.evidence.looks import Look, append_look, now, request_hash
from regraft.evidence.published import pick, published_table, read_published
from regraft.evidence.published_types import IntervalKind, PublishedResult, Role

Rows = tuple[PublishedResult, ...]


def rows_for_fitting(
    ids: Sequence[str], *, log: Path, why: str, by: str = "regraft", table: Path | None = None
) -> Rows:
    """Return rows that parameters may be fitted to, or refuse all of them.

    Parameters
    ----------
    ids : rows wanted; they come back in this order
    log : file to which the look is appended, or the folder of a run
    why : purpose in a few words, such as the name of the fit
    by : command or function that asks; never a person
    table : another table than the catalog's, with ``clusters.csv`` and ``overlaps.csv`` beside it

    Raises
    ------
    UnknownEntry : no row has one of the ids
    InvalidField : a row is not for calibration, not verified, has no number, an interval of unknown kind or no
        endpoint that a trial reports; its patients may stand in a row that is kept for validation or held out; or
        two rows say the same about patients who may be the same
    UsageError : no row is asked for
    OutputFolderError : the log cannot be written
    """

    def check(chosen: Rows, everything: Rows, clusters: Clusters) -> None:
        for row in chosen:
            _check_fitting(row, everything, clusters)
        for first, second in combinations(chosen, 2):
            if use_the_same_patients(first, second, clusters):
                raise InvalidField(_twice(first, second, clusters))

    return _look("fitting", ids, check, log=log, why=why, by=by, table=table)


def rows_for_scoring(
    ids: Sequence[str],
    *,
    log: Path,
    why: str,
    by: str = "regraft",
    role: Role = Role.VALIDATE,
    table: Path | None = None,
) -> Rows:
    """Return rows that predictions are scored against, or refuse all of them.

    Parameters
    ----------
    ids, log, why, by, table : as in ``rows_for_fitting``
    role : ``validate``, or ``held_out`` for the last look at the end of a study; one role at a time

    Raises
    ------
    UnknownEntry : no row has one of the ids
    InvalidField : a row has another role, is not verified or has no number
    UsageError : no row is asked for, or the role is ``calibrate``
    OutputFolderError : the log cannot be written
    """
    if role is Role.CALIBRATE:
        raise UsageError("Rows with role 'calibrate' come from rows_for_fitting; score on 'validate' or 'held_out'.")

    def check(chosen: Rows, everything: Rows, clusters: Clusters) -> None:
        del everything, clusters
        for row in chosen:
            if row.role is not role:
                raise InvalidField(
                    f"{_name(row)} cannot be scored as {role.value!r}: its role is {row.role.value!r}. "
                    f"Ask for rows with role {role.value!r} only."
                )
            _check_number(row)

    return _look("scoring", ids, check, log=log, why=why, by=by, table=table)


def rows_beside(
    ids: Sequence[str], *, log: Path, why: str, by: str = "regraft", table: Path | None = None
) -> Rows:
    """Return rows with role ``calibrate`` to set beside predictions without fitting them, or refuse all of them.

    Their patients may stand in rows kept for validation, so that nothing may be fitted to them.

    Parameters
    ----------
    ids, log, why, by, table : as in ``rows_for_fitting``

    Raises
    ------
    UnknownEntry : no row has one of the ids
    InvalidField : a row has another role, is not verified or has no number
    UsageError : no row is asked for
    OutputFolderError : the log cannot be written
    """

    def check(chosen: Rows, everything: Rows, clusters: Clusters) -> None:
        del everything, clusters
        for row in chosen:
            if row.role is not Role.CALIBRATE:
                raise InvalidField(
                    f"{_name(row)} cannot be shown beside a fit: its role is {row.role.value!r}, and only 'calibrate' "
                    "may be. Name it under 'scored'."
                )
            _check_number(row)

    return _look("beside", ids, check, log=log, why=why, by=by, table=table)


def _look(
    door: str,
    ids: Sequence[str],
    check: Callable[[Rows, Rows, Clusters], None],
    *,
    log: Path,
    why: str,
    by: str,
    table: Path | None,
) -> Rows:
    """Check a request, write it down with its outcome, then hand out the rows."""
    if isinstance(ids, str) or not ids:
        raise UsageError("No published row is asked for: give a list with at least one id.")
    if not why.strip():
        raise UsageError("Say in a few words why the published rows are needed ('why'); it goes into the log.")
    path = table or published_table()
    everything = read_published(path)
    roles = {row.id: row.role.value for row in everything}
    refusal: RegraftError | None = None
    chosen: Rows = ()
    try:
        chosen = pick(everything, ids)
        check(chosen, everything, load_clusters(path.parent))
    except RegraftError as error:
        refusal = error
    look = Look(
        time=now(),
        door=door,
        by=by,
        why=why,
        ids=tuple(ids),
        roles=tuple(roles.get(one, "unknown") for one in ids),
        request=request_hash(door, ids, path),
        is_granted=refusal is None,
        refusal="" if refusal is None else str(refusal),
    )
    append_look(log, look)
    if refusal is not None:
        raise refusal
    return chosen


def _check_fitting(row: PublishedResult, everything: Rows, clusters: Clusters) -> None:
    """Refuse a row that nothing may be fitted to."""
    if row.role is not Role.CALIBRATE:
        raise InvalidField(
            f"{_name(row)} cannot be fitted: its role is {row.role.value!r}, and only 'calibrate' may be fitted. "
            "Leave it out; it is scored by rows_for_scoring."
        )
    _check_number(row)
    if row.interval is IntervalKind.UNKNOWN:
        raise InvalidField(
            f"{_name(row)} cannot be fitted: nobody knows what its interval {row.printed.interval_type!r} means. Read "
            "the publication and write the kind into column 'interval_kind', or leave the row out."
        )
    if not row.endpoint_id:
        raise InvalidField(
            f"{_name(row)} cannot be fitted: no endpoint of a trial answers {row.endpoint!r} (column 'endpoint_id' is "
            "empty). Add an endpoint, or leave the row out."
        )
    kept = kept_row_sharing(row, everything, clusters)
    if kept is not None:
        raise InvalidField(
            f"{_name(row)} cannot be fitted: its patients may be among those of {kept.study!r} (cluster "
            f"{kept.cluster!r}, role {kept.role.value!r}): {clusters.why(row.cluster, kept.cluster)}. Leave the row "
            "out, or mend clusters.csv and overlaps.csv if they share nobody."
        )


def _check_number(row: PublishedResult) -> None:
    """Refuse a row that nobody verified or that holds no number."""
    if not row.is_verified:
        raise InvalidField(
            f"{_name(row)} cannot be used: verified is 'no'. Check the number against the publication, then set it to "
            "'yes', or leave the row out."
        )
    if row.value is None:
        raise InvalidField(f"{_name(row)} cannot be used: it states a direction and no number. Leave it out.")


def _twice(first: PublishedResult, second: PublishedResult, clusters: Clusters) -> str:
    """Say which two rows use the same patients twice."""
    time = "without a time" if first.time_months is None else f"at {first.time_months:g} months"
    return (
        f"{_name(second)} and {_name(first)} both give {first.endpoint_id!r} {time} for patients who may be the same: "
        f"{clusters.why(first.cluster, second.cluster)}. Fitting both counts these patients twice: keep one."
    )


def _name(row: PublishedResult) -> str:
    """Return a row with its role and cluster, for messages."""
    return f"Published row {row.id!r} (role {row.role.value!r}, cluster {row.cluster!r})"
