"""The room of tuning: rates, descents, copies, cuts, views."""

from __future__ import annotations

import math

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn

from fewshot.backbones import weights_digest
from fewshot.conformance import PictureWorld
from fewshot.datasets import ArrayImages
from fewshot.evaluators.tuning.descent import Descent, descend, mini_batches, shorten_gradients
from fewshot.evaluators.tuning.heads import Support, starting_heads, tune_heads
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import Inputs, all_held_in_order, held_in_order
from fewshot.evaluators.tuning.network import last_blocks, norm_parameters, parameters_of, shared_copy, unfreeze
from fewshot.evaluators.tuning.schedules import learning_rates
from fewshot.evaluators.tuning.split import Tail, Trunk, find_split
from fewshot.evaluators.tuning.views import AUGMENTS, draw, view


def test_a_constant_rate_is_the_rate_to_the_bit():
    assert learning_rates("constant", 0.003, 3) == [0.003] * 3


def test_a_cosine_ends_one_step_before_zero():
    rates = learning_rates("cosine", 2.0, 4)
    assert rates == pytest.approx([2.0, 1 + math.cos(math.pi / 4), 1.0, 1 + math.cos(3 * math.pi / 4)])


def test_a_step_schedule_is_divided_at_30_60_and_90_percent():
    rates = learning_rates("step", 1.0, 10)
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001])


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_warming_up_climbs_in_a_line_to_the_full_rate(schedule):
    rates = learning_rates(schedule, 0.8, 20, warmup=4)
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8])
    assert max(rates) == pytest.approx(0.8)


def test_mini_batches_go_through_every_row_before_they_repeat_one():
    batches = list(mini_batches(10, 4, 5, seed=3))
    assert [len(b) for b in batches] == [4] * 5
    drawn = torch.cat(batches)
    assert sorted(drawn[:10].tolist()) == sorted(drawn[10:].tolist()) == list(range(10))
    assert all(torch.equal(a, b) for a, b in zip(batches, mini_batches(10, 4, 5, seed=3), strict=True))
    assert not torch.equal(drawn, torch.cat(list(mini_batches(10, 4, 5, seed=4))))


def test_the_supports_of_all_episodes_are_in_the_order_of_each_alone():
    drawing = torch.Generator().manual_seed(0)
    images = ImageRows((), torch.randint(6, (9, 8), generator=drawing))  # some rows twice
    mask = torch.rand(9, 8, generator=drawing) < 0.6
    mask[0], mask[1] = True, False
    order, held = all_held_in_order(images, mask)
    for e in range(9):
        alone = held_in_order(images, mask, e)
        assert order[e, held[e]].tolist() == order[e, : len(alone)].tolist() == alone.tolist()


@pytest.mark.parametrize("batch_size", [None, 10, 64])
def test_a_mini_batch_that_holds_everything_is_the_whole_support(batch_size):
    assert all(b.tolist() == list(range(10)) for b in mini_batches(10, batch_size, 3, seed=0))


def test_every_step_has_its_rate_and_is_told():
    parameter, told = nn.Parameter(torch.zeros(1)), []

    def backward(step):
        parameter.grad = torch.ones(1)
        return torch.zeros(())

    descend([parameter], Descent([1.0, 0.5], optimizer="adamw"), backward, watch=lambda *done: told.append(done))
    assert parameter.item() == pytest.approx(-1.5, rel=1e-5)  # Adam goes as far as the rate
    assert told == [(1, 2), (2, 2)]


def test_a_loss_that_is_not_finite_names_the_step():
    parameter = nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match=r"not finite at step 2 of 3, at a learning rate of 0.5: .* lower the rate"):
        descend([parameter], Descent([1, 0.5, 1]), lambda step: torch.tensor([0, math.nan, 0][step]))


@pytest.mark.parametrize("stacked", [False, True])
def test_a_long_gradient_is_shortened_and_a_short_one_is_not(stacked):
    a, b = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(2, 1))
    a.grad, b.grad = torch.tensor([[3.0, 0, 0], [0, 0.3, 0]]), torch.tensor([[4.0], [0.4]])
    shorten_gradients([a, b], 1.0, stacked)
    together = torch.cat([a.grad, b.grad], 1)
    if stacked:
        torch.testing.assert_close(together, torch.tensor([[0.6, 0, 0, 0.8], [0, 0.3, 0, 0.4]]))
    else:
        assert together.norm().item() == pytest.approx(1)
        assert together[0, 0].item() == pytest.approx(3 / 25.25**0.5)


def test_a_copy_shares_what_stands_still_and_owns_what_is_trained():
    network = timm.create_model("test_resnet", num_classes=0)  # in training mode, with gradients
    before = weights_digest(network.state_dict())
    copied = shared_copy(network)
    trained = parameters_of(copied, "last 1")
    unfreeze(trained)
    held = {p.data_ptr() for p in network.parameters()}
    assert {p.data_ptr() for p in trained}.isdisjoint(held)
    assert sum(p.data_ptr() in held for p in copied.parameters()) == len(held) - len(trained)
    assert all(p.requires_grad for p in network.parameters())
    assert not copied.training
    with torch.no_grad():
        for parameter in trained:
            parameter.add_(1)
    assert weights_digest(network.state_dict()) == before


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "test_vit"])
def test_last_blocks_are_timms_layer_groups(name):
    network = timm.create_model(name, num_classes=0)
    names = [n for n, _ in network.named_parameters()]
    one, two = set(last_blocks(network, 1)), set(last_blocks(network, 2))
    assert one < two < set(names)
    assert not any(n.startswith(("conv1", "conv_stem", "patch_embed")) for n in two)


def test_norm_layers_are_found_by_kind_and_a_network_without_any_is_told():
    names = {id(p): n for n, p in timm.create_model("test_vit", num_classes=0).named_parameters()}
    network = timm.create_model("test_vit", num_classes=0)
    names = {id(p): n for n, p in network.named_parameters()}
    found = {names[id(p)] for p in norm_parameters(network)}
    assert found == {n for n in names.values() if "norm" in n}
    with pytest.raises(ValueError, match="tune='norm' trains normalisation layers, but the network has none"):
        norm_parameters(nn.Sequential(nn.Conv2d(3, 4, 3)))


CUT = [
    ("test_resnet", "last 1"),
    ("test_resnet", "last 3"),
    ("test_vit", "last 2"),
    ("test_vit", "head"),
    ("test_efficientnet", "last 1"),
    ("test_convnext", "last 2"),
    ("test_nfnet", "last 1"),
    ("mobilenetv3_small_050", "last 1"),
]


@pytest.mark.parametrize(("name", "tune"), CUT)
def test_trunk_and_tail_are_the_network_with_its_gradients(name, tune):
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=0).eval().requires_grad_(False)
    size = network.pretrained_cfg["input_size"][1] if "vit" in name else 64
    trained = parameters_of(network, tune)
    for parameter in trained:
        parameter.requires_grad_(True)
    inputs = torch.randn(5, 3, size, size)
    split = find_split(network, inputs[:2])
    with torch.no_grad():
        activations = Trunk(network, split)(inputs)
    assert activations.shape == (5, split.size)
    halves, whole = Tail(network, split)(activations), network(inputs)
    torch.testing.assert_close(halves, whole, rtol=1e-4, atol=1e-5)
    if trained:
        mine, theirs = (torch.autograd.grad(f.square().mean(), trained) for f in (halves, whole))
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-6)


def test_the_trunk_does_not_run_the_tail_nor_the_tail_the_trunk():
    network = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4))).requires_grad_(False).eval()
    network[2].weight.requires_grad_(True)
    split = find_split(network, torch.randn(2, 4))
    assert (split.calls, split.needed) == (("0", "1"), (1,))
    ran = []
    for number, module in enumerate(network):
        module.register_forward_hook(lambda *_, number=number: ran.append(number))
    Trunk(network, split)(torch.randn(3, 4))
    assert ran == [0, 1]
    network[0].weight.fill_(math.nan)
    assert torch.isfinite(Tail(network, split)(torch.randn(3, 4))).all()


def test_a_cut_is_whole_only_if_nothing_is_trained_and_its_activations_are_the_features():
    network = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4))).requires_grad_(False).eval()
    inputs = torch.randn(3, 4)
    split = find_split(network, inputs)
    assert split.is_whole
    activations = Trunk(network, split)(inputs)
    assert torch.equal(activations, network(inputs))
    assert torch.equal(Tail(network, split)(activations.clone()), activations)
    network[3].weight.requires_grad_(True)
    assert not find_split(network, inputs).is_whole


class Skips(nn.Module):
    """Uses two early outputs late, a module twice, and, on request, its input."""

    def __init__(self, uses_input=False):
        super().__init__()
        self.a, self.b, self.c, self.shared = (nn.Linear(4, 4) for _ in range(4))
        self.uses_input = uses_input

    def forward(self, x):
        first = self.shared(self.a(x))
        second = self.b(first).relu_()
        return self.shared(self.c(second)) + first + (x if self.uses_input else 0)


def test_a_cut_keeps_every_output_that_is_used_later():
    network = Skips().requires_grad_(False).eval()
    network.c.weight.requires_grad_(True)
    inputs = torch.randn(3, 4)
    split = find_split(network, inputs)
    assert (split.calls, split.needed) == (("a", "shared", "b"), (1, 2))
    torch.testing.assert_close(Tail(network, split)(Trunk(network, split)(inputs)), network(inputs))


def test_a_network_that_cannot_be_cut_is_told_by_none():
    network = Skips(uses_input=True).requires_grad_(False).eval()
    network.c.weight.requires_grad_(True)
    assert find_split(network, torch.randn(3, 4)) is None
    network.a.weight.requires_grad_(True)  # nothing stands still before it
    assert find_split(network, torch.randn(3, 4)) is None
    mixing = nn.Sequential(nn.Flatten(0), nn.Linear(8, 8)).eval()  # the images of a batch in one vector
    assert find_split(mixing, torch.randn(2, 4)) is None


def support(seed=0, padded=False, dim=5):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([[0, 1, 2, 0, 1, 2, 1]] * 3)
    features = torch.randn(3, 7, dim, generator=generator)
    mask = torch.ones(3, 7, dtype=torch.bool)
    if padded:
        mask[1, 5:] = False
    return Support(features, labels, mask, 3)


@pytest.mark.parametrize("batch_size", [None, 3, 6])
@pytest.mark.parametrize(
    ("optimizer", "dim", "decay", "clip"),
    [("sgd", 5, 0.01, 0.5), ("sgd", 40, 0.0, None), ("sgd", 40, 0.01, None), ("adam", 40, 0.01, 0.5)],
)
def test_heads_tuned_together_are_those_of_one_loop_each(batch_size, optimizer, dim, decay, clip):
    both, seeds = support(padded=True, dim=dim), torch.tensor([5, 6, 7])
    descent = Descent(learning_rates("cosine", 0.1, 12), optimizer, weight_decay=decay, clip_norm=clip)
    start = starting_heads("prototypes", both, 1.0)
    found = tune_heads(start, both, descent, batch_size, seeds)
    for e in range(3):
        head = nn.Linear(dim, 3)
        head.weight.data.copy_(start.weight[e].T), head.bias.data.copy_(start.bias[e])
        features, labels = both.features[e][both.mask[e]], both.labels[e][both.mask[e]]
        batches = mini_batches(len(labels), batch_size, 12, int(seeds[e]))
        make = {"sgd": lambda p: torch.optim.SGD(p, momentum=0.9, weight_decay=decay), "adam": torch.optim.Adam}
        optim = make[optimizer](head.parameters())
        if optimizer == "adam":
            optim.param_groups[0]["weight_decay"] = 0.01
        for rate, part in zip(descent.rates, batches, strict=True):
            optim.param_groups[0]["lr"] = rate
            optim.zero_grad()
            nn.functional.cross_entropy(head(features[part]), labels[part]).backward()
            nn.utils.clip_grad_norm_(head.parameters(), clip or math.inf)
            optim.step()
        torch.testing.assert_close(found.weight[e], head.weight.detach().T, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.bias[e], head.bias.detach(), rtol=1e-4, atol=1e-5)


def test_a_head_of_prototypes_ranks_by_distance_to_the_means():
    one = support()
    heads = starting_heads("prototypes", one, 1.0)
    means = torch.stack([one.features[:, one.labels[0] == c].mean(1) for c in range(3)], 1)
    query = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(1))
    logits = query @ heads.weight + heads.bias[:, None]
    distances = torch.cdist(query, means).square()
    torch.testing.assert_close(logits - logits.mean(2, keepdim=True), distances.mean(2, keepdim=True) - distances)


def test_a_probe_is_at_the_optimum_and_says_so():
    one = support()
    heads = starting_heads("probe", one, 2.0)
    assert heads.converged.all()
    weight, bias = heads.weight.double().requires_grad_(), heads.bias.double().requires_grad_()
    logits = one.features.double() @ weight + bias[:, None]
    loss = 2.0 * nn.functional.cross_entropy(logits.flatten(0, 1), one.labels.flatten(), reduction="sum")
    gradients = torch.autograd.grad(loss + weight.square().sum() / 2, [weight, bias])
    assert all(g.abs().max() < 1e-5 for g in gradients)


def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8))


def test_a_draw_depends_on_seed_step_and_place_alone():
    several = draw(3, 1, 5)
    assert several.shape == (5, 12)
    assert ((several >= 0) & (several < 1)).all()
    assert (draw(3, 1, 2) == several[:2]).all()
    assert (draw(3, 2, 5) != several).all()
    assert (draw(4, 1, 5) != several).all()
    assert len(np.unique(several)) == several.size


@pytest.mark.parametrize("augment", AUGMENTS)
def test_a_view_has_the_size_of_its_image(augment):
    made = [view(picture(), augment, uniform, False) for uniform in draw(0, 0, 20)]
    assert {image.size for image in made} == {(20, 12)}
    assert len({image.tobytes() for image in made}) == {"none": 1, "flip": 2}.get(augment, 20)


def test_an_image_whose_orientation_matters_is_never_flipped():
    uniforms = draw(0, 0, 20)
    assert {view(picture(), "flip", u, True).tobytes() for u in uniforms} == {picture().tobytes()}


def test_orientation_is_asked_image_by_image():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    rows = ImageRows(ArrayImages(pixels), torch.tensor([[0, 1]]), torch.tensor([[True, False]]))
    preprocess = PictureWorld().backbone.preprocess
    flipped = lambda image, uniform, upright: preprocess(view(image, "flip", uniform, upright))  # noqa: E731
    inputs = Inputs(rows, 0, torch.arange(2), PictureWorld().backbone, flipped)
    plain = inputs.plain(torch.arange(2))
    many = torch.stack([inputs.views(torch.arange(2), draw(0, step, 2)) for step in range(16)])
    assert (many[:, 0] == plain[0]).all()
    assert {(v == plain[1]).all().item() for v in many[:, 1]} == {True, False}
    assert all((v == plain[1]).all() or (v == plain[1].flip(2)).all() for v in many[:, 1])


def test_a_crop_shows_at_least_half_of_the_image():
    ramp = Image.fromarray(np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (200, 1, 3)))
    spans = [np.ptp(np.asarray(view(ramp, "crop", u, False))[100, :, 0]) for u in draw(1, 0, 50)]
    assert min(spans) >= 200 * (0.5 * 0.75) ** 0.5 - 4
    assert max(spans) > 180
