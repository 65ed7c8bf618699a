"""The commands: one file per command, with a function `command`; files with an underscore hold what commands share.

May import: everything. The top of a file imports click and nothing heavy, because `fewshot --help` imports all files.
A new command: one file. It answers through `_answers.answer`, so that it has --json.
A new option: one place. Options of one command stand above its function; options that several commands share, or that
belong together, are the fields of a request (`_options.takes`).

    _options.py   how commands get their options    _*_request.py  the requests that several commands share
    _answers.py   text or JSON                      _results.py    results files and rows as commands show them
    _plan.py      the dry run of runs               _trainings.py  the dry run of trainings
    _rates.py     speeds measured on this machine   _study.py, _scaling.py  the tables of `study` and `scaling`
    _groups.py    groups that suggest a command     _stored_runs.py   runs that `fewshot results` copies and deletes
    _names.py     names that the shell completes    _comparison.py, _compared_means.py  what `compare` prints
"""
