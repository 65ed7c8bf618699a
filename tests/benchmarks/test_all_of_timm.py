"""All of timm: the committed table covers it, and a few unlike networks pass its checks here and now."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from fewshot.benchmarks import all_of_timm
from fewshot.benchmarks.all_of_timm import check_network, fill_table, inputs_of, other_size, read_table, summary
from torch import nn

from fewshot.backbones import Backbone
from fewshot.backbones.random_init import RandomInit

DIVERSE = {
    "convnet": "test_convnext",
    "BatchNorm": "test_efficientnet",
    "NFNet": "test_nfnet",
    "class token": "test_vit",
    "EVA, register tokens": "vit_tiny_patch16_dinov3_qkvb",
    "convolution and attention": "test_coatnet",
    "hybrid, class token": "vit_tiny_r_s16_p8_224",
    "Swin": "swinv2_cr_tiny_224",
    "two heads": "levit_128s",
    "MLP": "gmlp_ti16_224",
}


@pytest.mark.parametrize("name", DIVERSE.values(), ids=list(DIVERSE))
def test_unlike_networks_have_no_problem(name: str) -> None:
    record = check_network(name)
    assert record["problems"] == []
    assert record["dim"] > 0
    assert "avg" in record["pools"] or "pool=avg" in record["refused"]


def test_the_table_holds_every_module_of_its_timm() -> None:
    records = read_table()
    assert len({record["timm"] for record in records}) == 1
    if records[0]["timm"] != timm.__version__:
        pytest.skip(f"the table is of timm {records[0]['timm']}, installed is {timm.__version__}")
    assert sorted(record["module"] for record in records) == timm.list_modules()


def test_every_entry_of_the_table_says_what_is_wrong() -> None:
    for record in read_table():
        assert record["problems"] or "skipped" in record or (record["dim"] and record["pools"]), record
        if record.get("other_size", 0) is None:
            assert any(what.endswith(" px") for what in record["refused"]), record


def test_the_summary_names_every_exception() -> None:
    records = read_table()
    shown = summary(records)
    for record in records:
        exception = record["problems"] or "skipped" in record or record["other_size"] is None
        assert bool(exception) == (f"| {record['module']} | {record['network']} |" in shown)


def test_the_checks_find_planted_faults() -> None:
    good = RandomInit("test_efficientnet", image_size=64).load()
    inputs = inputs_of(good)

    class Faulty(nn.Module):
        def __init__(self, fault: str) -> None:
            super().__init__()
            self.inner, self.fault = good.network, fault
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            features = self.inner(images)
            if self.fault == "counts":
                self.calls += 1
            return {
                "infinite": features / 0,
                "neighbours": features - features.mean(dim=0),
                "constant": torch.ones_like(features),
                "other": 2 * features,
                "counts": features,
            }[self.fault]

    expected = {
        "infinite": "not finite",
        "neighbours": "depends on its neighbours",
        "constant": "the same features",
        "other": "differ from the pre-logits",
        "counts": "changed the state",
    }
    for fault, sentence in expected.items():
        backbone = Backbone("faulty", Faulty(fault).eval(), good.preprocess, "", good.dim, 0, "")
        found = [text for check in all_of_timm.CHECKS for text in check("test_efficientnet", backbone, inputs)]
        assert any(sentence in text for text in found), (fault, found)


def test_a_killed_table_goes_on_and_another_timm_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def quick(module: str) -> dict[str, object]:
        asked.append(module)
        record = {"timm": timm.__version__, "module": module, "network": module, "problems": [], "refused": {}}
        return record | {"skipped": "a test", "seconds": 0.0}

    monkeypatch.setattr(all_of_timm, "check_module", quick)
    path = tmp_path / "table.jsonl"
    fill_table(path, ["a", "b"])
    with open(path, "a") as file:
        file.write('{"timm": "1.0')
    fill_table(path, ["a", "b", "c"])
    assert asked == ["a", "b", "c"]
    assert [record["module"] for record in read_table(path)] == ["a", "b", "c"]
    monkeypatch.setattr(timm, "__version__", "99")
    fill_table(path, ["a"])
    assert [(record["module"], record["timm"]) for record in read_table(path)] == [("a", "99")]


def test_the_other_size_is_a_multiple_of_32() -> None:
    assert [other_size(size) for size in (32, 160, 224, 331)] == [32, 128, 160, 256]
