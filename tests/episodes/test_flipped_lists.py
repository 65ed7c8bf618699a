"""Whatever bits of an episode list flip on the disk: it is refused, or it is the list that was written."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fewshot.episodes.lists import EpisodeList
from tests.support.worlds import labelled, ragged

IMAGES = labelled(8, 40)
LISTED = EpisodeList.of(ragged(IMAGES, 6), IMAGES, "mine@1", "ragged", pools=None)


@given(st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=3, unique=True))
def test_a_list_with_flipped_bits_is_whole_or_refused(tmp_path, bits):
    path = tmp_path / "list.safetensors"
    LISTED.save(path)
    content = bytearray(path.read_bytes())
    for at in bits:
        content[at // 8 % len(content)] ^= 1 << at % 8
    path.write_bytes(content)
    try:
        found = EpisodeList.load(path)
    except ValueError:
        return
    assert found.episodes.digest == LISTED.episodes.digest
    assert (found.protocol, found.sampler, found.class_names) == (LISTED.protocol, LISTED.sampler, LISTED.class_names)
    assert np.array_equal(found.episodes.query, LISTED.episodes.query)
