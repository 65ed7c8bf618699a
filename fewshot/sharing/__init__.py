"""Sharing: results as one folder that others can check, and leaderboards of such folders. There is no server.

    results file --submit--> folder (rows, predictions, designs, commands, sha256 of every file) --verify--> problems
    folders --board--> one table per comparability key

May import: everything below, report and runs included. A submission comes from a stranger: layout.py looks at names and
sizes before anything is opened, nothing imports code that a row names, and no link is followed.

    layout.py    names and sizes of a folder's files    about.py     who shares, and the list of files
    designs.py   the data side of a row without images  cleaning.py  texts without places of this machine
    submit.py    a folder from a results file           readme.py    its page for people
    commands.py  what recreates the runs of a page      shared.py    a row with what lies beside it, and its check
    members.py   the specs of a row as members, safely  checks.py    a row against its predictions and its spec
    run_ids.py   a row against its run id               reruns.py    runs computed again, drawn among those that can
    claims.py    a row against its benchmark            networks.py  the size of a row's network
    data.py      a row against images, and again        verify.py    a whole folder, and the record of it
    verify_words.py   a verification in few lines       submission_names.py  names that tell submissions apart
    reported.py       columns that nobody can check
    board.py     the submissions of a folder, ranked    entries.py   a run on a leaderboard, with its labels
    held_runs.py  rows of submissions that are one run, or contradict each other
    data_names.py  the name of a row's data, which nothing hashes      board_names.py  what a leaderboard calls data
    releases.py   releases and times that a submission states          plain_texts.py  texts that hide nothing
    board_page.py  the leaderboard as a page, with
    board_templates.py   its templates
"""
