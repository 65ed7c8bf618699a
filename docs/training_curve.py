"""Few-shot accuracy on novel classes while a small network learns the seen ones.

python docs/training_curve.py        # five minutes on two busy cores; writes training_curve.png
"""

import matplotlib.pyplot as plt
import numpy as np
import timm
import torch

import fewshot

EPOCHS = 6


def as_input(image):
    """The [1, 48, 48] input of a drawing."""
    return torch.from_numpy(np.array(image, dtype=np.float32)[None, ..., 0] / 255)


images = fewshot.Icons("mono").load()
split = fewshot.Committed("icons_mono").split(images)
seen, novel = split.classes("seen", images), split.classes("novel", images)
episodes = {k: fewshot.Balanced().sample(images, novel, fewshot.EpisodeShape(5, k, 15), 0, 0, 200) for k in (1, 5)}
rows = np.flatnonzero(np.isin(images.labels, seen))
inputs = torch.stack([as_input(images.images[row]) for row in rows])
labels = torch.from_numpy(np.searchsorted(seen, images.labels[rows]))
network = timm.create_model("resnet10t", in_chans=1, num_classes=0).train()
head = torch.nn.Linear(network.num_features, len(seen))
optimizer = torch.optim.AdamW([*network.parameters(), *head.parameters()], lr=2e-3)
curves = {k: [] for k in episodes}
for epoch in range(EPOCHS):
    for k, curve in curves.items():  # the network's mode and every random generator stay as they are
        row = fewshot.evaluate(network, images, episodes[k], "Prototype()", "L2()", preprocess=as_input)
        curve.append(row.accuracy)
        print(f"epoch {epoch}, {k} shot: {row.accuracy:.3f}", flush=True)
    for part in torch.randperm(len(rows)).split(64):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(network(inputs[part])), labels[part]).backward()
        optimizer.step()
for k, curve in curves.items():
    plt.plot(curve, marker="o", label=f"{k} shot")
plt.gca().set(xlabel="epochs", ylabel="5-way accuracy on novel classes")
plt.legend()
plt.savefig("training_curve.png")
