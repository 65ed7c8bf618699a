"""The tests: folders as in fewshot/, and support/ with what they share."""

import pytest

pytest.register_assert_rewrite("tests.support")  # a failed assert there shows its values, as in a test
