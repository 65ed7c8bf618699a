"""Runs: from a spec to a row. What a run needs, learners, solving, selection, guards, suites that resume."""
