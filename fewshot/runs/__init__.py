"""Runs: from a spec to a row, and suites of runs that resume.

May import: everything below, members included; nothing of scaling, report or commands.
A new step of a run: one file, called from computation.py. A setting that changes a number is a field of `RunSpec`.

    specs.py        what names a run                      pipeline.py    a run from its spec to its row; suites
    prepared.py     the data side of a run                computation.py missing episodes to predictions, then a row
    workbench.py    what runs share, and how they compute run_rows.py    the row of stored predictions
    shared.py       splits and digests of the same images failures.py    the row of a failed run
    needs.py        what episodes need                    learners.py    an evaluator with its features or images
    learner_setup.py the learner of some episodes         feature_learner.py, image_learner.py the two kinds
    solving.py      episodes to predictions               scores.py      accuracy, intervals and measures
    design.py       what intervals depend on              read_predictions.py what scores keep of each part
    columns.py      the columns of specs, members, data   choice.py      what was chosen
    selection.py    hyperparameters chosen before a run
    guards.py       errors instead of leaking numbers     loading.py     images and networks from their specs
    evaluation.py   a row of given episodes, no files     presets.py     published methods by name
    sizes.py        data and sizes as users ask for them  opening.py     backbones as Python users give them
    turns.py        work of other processes comes last    identity.py    what a run id hashes
    compiling.py    loops compiled before a run           background.py  a process that compiles beside a run
    resources.py    memory and energy of a run           self_test.py    a test of every device
    heads_device.py the device of heads                   within_memory.py batches halved until they fit
    spec_json.py    specs in files and messages           rate_keys.py   the names of speeds
    side_by_side.py small episodes that tune a network, each on one thread
"""
