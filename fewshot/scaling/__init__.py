"""How error falls with a resource: laws, their fits, and what pre-training is worth.

    laws/      one file per law: predict, inverse, fit; shared numerics in files that start with _
    fits/      line_files: CSV and JSON lines     tables: their columns      conditions: --where
               metrics: accuracy, error or loss   curves: points to fit      fit: every curve by every law
               intervals: resamples               trust: extrapolation test  label_budget: labels for a target
    studies/   trained_rows: typed rows           protocols: how checkpoints are scored
               ladders: checkpoints by size       adaptation: exponents      class_ladders: more classes
               gains, near_and_far: size and data sources: source x target   transfer*: effective data

x is a resource (images, model size, shots), e an error in (0, 1] or a loss; arrays are float64.
"""
