"""Damaged files of every kind: a reader takes what is there, or refuses in one sentence; it neither hangs nor asks for
gigabytes, and where every bit has a checksum it never reads another number."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.bounded import outcome
from tests.support.fault_counts import keep, times
from tests.support.mutations import several
from tests.support.readers import KINDS, READERS

EXAMPLES = times(6, int(os.environ.get("FEWSHOT_EXAMPLES", "1000")))
_QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(reader, tmp_path):
    files = reader.write(tmp_path)
    assert files
    whole = reader.read(tmp_path)
    counts: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, suppress_health_check=_QUIET, phases=(Phase.generate, Phase.shrink))
    @given(st.integers(0, len(files) - 1), several(KINDS[reader.kind]))
    def every(at, mutation):
        path = files[at]
        before = path.read_bytes()
        path.write_bytes(mutation(before))
        try:
            kind, content = outcome(lambda: reader.read(tmp_path))
        finally:
            path.write_bytes(before)
        counts[kind] += 1
        if kind == "read" and reader.checked:
            assert content == whole, "it reads another number"

    began = time.monotonic()
    every()
    seconds = round(time.monotonic() - began)
    keep("fuzz", reader.name, tried=counts.total(), read=counts["read"], refused=counts["refused"], seconds=seconds)
