"""Episodes are tasks of learn2learn and come back, and its own training loop learns from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.episodes.learn2learn import from_taskset, to_taskset
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.variable_way_shot import VariableWayShot

learn2learn = pytest.importorskip("learn2learn", reason="learn2learn is not installed")

LABELS = np.repeat(np.arange(12), 25)
RANDOM = np.random.default_rng(0)
CENTRES = np.pad(3 * RANDOM.normal(size=(12, 3)), ((0, 0), (0, 5)))  # classes differ in 3 numbers, the others distract
VECTORS = (CENTRES[LABELS] + RANDOM.normal(size=(300, 8)) * ([0.5] * 3 + [3] * 5)).astype(np.float32)
IMAGES = labelled_vectors(VECTORS, LABELS)
PAIRS = torch.utils.data.TensorDataset(torch.from_numpy(VECTORS), torch.from_numpy(LABELS))


SHAPE = EpisodeShape(5, 2, 6)


def drawn(sampler=None, shape=SHAPE, count=40, seed=0, classes=range(8)):
    return (sampler or Balanced()).sample(IMAGES, np.array(classes), shape, seed, 0, count)


def test_a_task_is_the_support_and_then_the_queries_of_its_episode():
    episodes = drawn()
    tasks = to_taskset(episodes, PAIRS)
    assert len(tasks) == 40
    data, labels = tasks[7]
    rows = np.concatenate([episodes.support.reshape(40, -1)[7], episodes.query.reshape(40, -1)[7]])
    assert np.array_equal(data.numpy(), VECTORS[rows])
    assert labels.tolist() == [way for n in (2, 6) for way in range(5) for _ in range(n)]


@pytest.mark.parametrize(
    "episodes", [drawn(seed=3), drawn(VariableWayShot(), EpisodeShape(None, None, None))], ids=["balanced", "ragged"]
)
def test_episodes_come_back_from_a_taskset_as_they_were(episodes):
    again = from_taskset(to_taskset(episodes, PAIRS), IMAGES, seed=episodes.seed)
    assert again.digest == episodes.digest


def test_tasks_that_learn2learn_drew_become_episodes():
    dataset = learn2learn.data.MetaDataset(PAIRS)
    kinds = learn2learn.data.transforms
    transforms = [
        kinds.NWays(dataset, 4),
        kinds.KShots(dataset, 5),
        kinds.LoadData(dataset),
        kinds.RemapLabels(dataset),
    ]
    tasks = learn2learn.data.Taskset(dataset, transforms, num_tasks=6)
    episodes = from_taskset(tasks, IMAGES, k_shot=2)
    episodes.check(IMAGES)
    assert (set(episodes.n_way), set(episodes.support_count), set(episodes.query_count)) == ({4}, {2}, {3})
    rows = {row for e in range(6) for row in (d.index for d in tasks.sampled_descriptions[e])}
    assert rows == set(episodes.support) | set(episodes.query)
    with pytest.raises(ValueError, match="does not mark the support rows of a task; give k_shot"):
        from_taskset(tasks, IMAGES)


def test_a_taskset_without_an_end_or_of_other_images_is_one_sentence():
    with pytest.raises(ValueError, match=r"samples new tasks every time; create it with num_tasks=\.\.\."):
        from_taskset(learn2learn.data.Taskset(PAIRS, [], num_tasks=-1), IMAGES)
    fewer = labelled_vectors(VECTORS[:30], LABELS[:30])
    with pytest.raises(ValueError, match=r"a task has the row \d+, but .* has 30 images"):
        from_taskset(to_taskset(drawn(), PAIRS), fewer)


def test_maml_of_learn2learn_trains_on_episodes_and_is_better_on_new_classes():
    """First-order MAML of a linear body: accuracy after one step on tasks of classes that it was not trained on."""
    episodes, new = drawn(count=60), drawn(shape=EpisodeShape(4, 2, 6), classes=range(8, 12), count=30)
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 5))
    maml = learn2learn.algorithms.MAML(network, lr=0.2, first_order=True)
    before = accuracy(maml, new)
    optimiser = torch.optim.Adam(maml.parameters(), 0.02)
    for data, labels in to_taskset(episodes, PAIRS):
        optimiser.zero_grad()
        logits, asked = adapted(maml, data, labels, n_support=10)
        torch.nn.functional.cross_entropy(logits, asked).backward()
        optimiser.step()
    assert accuracy(maml, new) > before + 0.1


def adapted(maml, data, labels, n_support):
    """Logits of the queries of a task after one step on its support, and their labels."""
    learner = maml.clone()
    learner.adapt(torch.nn.functional.cross_entropy(learner(data[:n_support]), labels[:n_support]))
    return learner(data[n_support:]), labels[n_support:]


def accuracy(maml, episodes):
    tasks = to_taskset(episodes, PAIRS)
    found = [adapted(maml, *tasks[e], n_support=8) for e in range(len(episodes))]
    return float(torch.cat([(logits.argmax(1) == asked).double() for logits, asked in found]).mean())
