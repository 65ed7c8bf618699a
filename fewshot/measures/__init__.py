"""Predictions to measures, one function a measure. Everything here is recomputed from stored predictions.

    per_episode.py   macro-F1, logarithmic loss              per_class.py   the accuracy of each class
    ranking.py       AUROC, average precision                per_image.py   how often each image was answered right
    calibration.py   how far confidence is from accuracy     lowest.py      the tenth of the episodes that went worst

The accuracy itself is `fewshot.results.predictions.episode_accuracy`. A measure of each episode ([E]) has a mean over
episodes, and the interval for new classes that statistics.class_interval gives it; the lowest tenth and the
calibration error are made anew without each class. The accuracy of the lowest class has no interval: it is a minimum,
and deleting a class tells nothing of the others, but whether that class was it.

What float16 costs. Confidences and logarithms of probabilities are stored as float16: 11 bits, so a confidence is at
most 0.00025 from what it was (and above 0.99976 it is 1), and a logarithm at most 0.05 % of itself. Roundings go both
ways: a calibration error moves by at most 0.00025, a logarithmic loss by at most 0.05 %. Logits are rounded alike,
which ties or swaps queries whose probabilities differ by less than that; losses beyond 65504 stand at 65504.
"""
