"""Python and notebooks: `evaluate` as the command line says it, rows and comparisons as objects with tables and plots.

May import: everything below, runs and report included; nothing of commands.

    words -> runs (specs, run) -> Rows -> report (names, rankings) -> text, table, plot

    evaluation.py   words to rows              rows.py       rows with their predictions
    words.py        arguments, checked         compared.py   which run is best, and is it real
    frames.py       rows as a table            plots.py      rows as figures
    functions.py    on rows of any kind        html.py       tables in a notebook
    kept.py         predictions in memory
"""
