"""Work: the runs of a suite as a list of tasks, which any number of processes do in any order with the same result.

May import: everything below, runs included; nothing of report, scaling or commands. Engines only choose who does which
task; what a task does is a step of runs, features or pretraining.
A new kind of task: one function in doing.py, and the place in planning.py that plans it. A new engine: one file.

    tasks.py      a task, named by its content        planning.py    runs to tasks
    doing.py      a task, done                        places.py      the folder of a plan: tasks, marks, leases
    worker.py     claims and does task after task     processes.py   worker processes of this machine
    cluster.py    the tasks as futures of Dask        remote.py      what a worker of Dask does
    schedulers.py how to reach Dask's scheduler       connection.py  a scheduler that goes away and comes back
    listing.py    tasks in words, with sizes and times
    ranges.py     rows of a table, divided            presence.py    which features are stored already
    gpus.py       the GPU of each worker here
"""
