"""The columns of a row that the machine and the moment decide, not the run."""

from __future__ import annotations

from dataclasses import fields

from fewshot.results.resources import Resources

MACHINE_COLUMNS = {"seconds_embedding", "seconds_solving", "n_embedded", "finished", "n_threads", "commit"} | {
    column.name for column in fields(Resources)
}
