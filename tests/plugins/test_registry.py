"""Specs name one thing in one way, are parsed and never evaluated, and cost no import."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fewshot.backbones.conv_net import ConvNet
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.plugins import members
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, MEASURES, SAMPLERS, SPLITS, TRANSFORMS, Registry
from fewshot.plugins.signature import REQUIRED
from fewshot.splits.by_group import ByGroup
from fewshot.splits.by_seed import BySeed
from fewshot.splits.from_file import FromFile
from tests.support.members import made

REGISTRIES = [DATASETS, SPLITS, SAMPLERS, BACKBONES, TRANSFORMS, EVALUATORS, MEASURES]
MEMBERS = [(registry, name) for registry in REGISTRIES for name in registry.names()]
each_member = pytest.mark.parametrize(("registry", "name"), MEMBERS, ids=[f"{r.kind}-{n}" for r, n in MEMBERS])

OUTSIDE = '''
from __future__ import annotations
from dataclasses import dataclass, field
from pathlib import Path

@dataclass(frozen=True)
class Ensemble:
    """Several evaluators.

    More about it."""
    members: tuple[Ensemble, ...] = ()
    weights: tuple[float, ...] = (1.0,)
    path: Path | None = None
    C: float | None = None
    names: list = field(default_factory=lambda: ["a"])
    hidden: int = field(default=0, init=False)

class Plain:
    pass

function = print
'''
EAGER = """
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class Eager:
    root: Path
    rate: float = 1.0
    limits: tuple[float, ...] = ()
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder on sys.path with a package, `outside_fewshot`, that fewshot knows nothing of."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "outside_fewshot.py").write_text(OUTSIDE)
    (folder / "eager_fewshot.py").write_text(EAGER)
    (folder / "failing_fewshot.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in ("outside_fewshot", "eager_fewshot"):
        sys.modules.pop(name, None)


@each_member
def test_what_is_read_from_the_source_is_what_the_class_has(registry, name):
    signature, cls = registry.signature(name), registry.get(name)
    read = [(p.name, p.annotation, p.default) for p in signature.parameters]
    fields = dataclasses.fields(cls)
    assert read == [(f.name, f.type, REQUIRED if f.default is dataclasses.MISSING else f.default) for f in fields]
    assert (signature.name, signature.module) == (cls.__name__, cls.__module__)
    assert signature.declared == {attribute: getattr(cls, attribute) for attribute in signature.declared}
    assert signature.summary


@each_member
def test_members_are_frozen_and_come_back_from_their_repr(registry, name):
    member = made(registry.get(name))
    assert type(member).__dataclass_params__.frozen
    assert registry.make(repr(member)) == member
    assert registry.make(registry.canonical(member)) == member
    assert registry.canonical(registry.canonical(member)) == registry.canonical(member)


def test_listing_members_and_naming_runs_imports_neither_torch_nor_timm():
    code = (
        "import sys; from fewshot.plugins.registry import *\n"
        "for r in (DATASETS, SPLITS, SAMPLERS, BACKBONES, TRANSFORMS, EVALUATORS):\n"
        "    for n in r.names(): print(n, r.signature(n).summary)\n"
        "EVALUATORS.canonical('LinearProbe(C=2)'), SPLITS.spec('BySeed(seed=3)').identity\n"
        "print(sorted({'torch', 'timm', 'torchvision', 'sklearn', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("registry", "ways"),
    [
        (
            EVALUATORS,
            [
                "LinearProbe",
                "LinearProbe()",
                " LinearProbe( )\n",
                "LinearProbe(100)",
                "LinearProbe(C=100)",
                "LinearProbe(C=100.0)",
                "LinearProbe(C=1e2)",
                "LinearProbe(C=--100)",
                "(LinearProbe)",
                LinearProbe(),
            ],
        ),
        (BACKBONES, ["ConvNet(seed=-2)", "ConvNet(16, 4, 32, 'batch', -2)", ConvNet(seed=-2)]),
        (
            EVALUATORS,
            [
                "Prototype('cosine')",
                'Prototype("cosine")',
                "Prototype(metric='cosine')",
                "Prototype('cos' 'ine')",
                Prototype("cosine"),
            ],
        ),
        (
            SPLITS,
            [
                "ByGroup('set', ('a', 'b'))",
                "ByGroup('set', ['a', 'b'])",
                "ByGroup(novel=('a', 'b',), group='set')",
                "ByGroup('set', ('a', 'b'), validation=[])",
                ByGroup("set", ("a", "b")),
            ],
        ),
        (SPLITS, ["BySeed(0)", "BySeed(novel=0.0, validation=0.1, seed=0)", "BySeed(seed=0, novel=0)", BySeed(0.0)]),
        (
            DATASETS,
            [
                "ImageFolderSet('/a/b')",
                "ImageFolderSet(root=Path('/a/b'))",
                "ImageFolderSet(root=PosixPath('/a/b'))",
                ImageFolderSet(Path("/a/b")),
            ],
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Registry) else str(value[0]),
)
def test_every_way_to_write_the_same_thing_has_one_canonical_spec(registry, ways):
    assert len({registry.canonical(spec) for spec in ways}) == 1
    made = [registry.make(spec) for spec in ways]
    assert all(other == made[0] and repr(other) == repr(made[0]) for other in made)


@pytest.mark.parametrize(
    "ways",
    [
        ["LinearProbe(C=-2)", "LinearProbe(-2.0)", "LinearProbe(C=-0.2e1)"],
        ["LinearProbe(C=inf)", "LinearProbe(C=1e999)", f"LinearProbe(C={'9' * 400})"],
    ],
)
def test_numbers_that_no_member_takes_are_read_in_every_way_too(ways):
    assert len({EVALUATORS.canonical(spec) for spec in ways}) == 1


def test_different_things_have_different_canonical_specs():
    specs = ["LinearProbe", "LinearProbe(C=2)", "LinearProbe(C=-2)", "LinearProbe(C=None)", "LinearProbe(C='1')"]
    assert len({EVALUATORS.canonical(spec) for spec in specs}) == len(specs)


def test_members_of_members_are_made_and_written_out(outside):
    spec = "outside_fewshot:Ensemble([LinearProbe, Prototype('cosine'), LinearProbe(C=3)], weights=[1, 2])"
    made = EVALUATORS.make(spec)
    assert made.members == (LinearProbe(), Prototype("cosine"), LinearProbe(C=3.0))
    assert made.weights == (1.0, 2.0)
    assert all(type(weight) is float for weight in made.weights)
    probe = EVALUATORS.canonical("LinearProbe")
    text = EVALUATORS.canonical(spec)
    assert text.startswith(f"outside_fewshot:Ensemble(members=({probe}, Prototype(")
    assert "weights=(1.0, 2.0), path=None, C=None, names=('a',))" in text
    assert EVALUATORS.canonical("outside_fewshot:Ensemble((LinearProbe,))").count(f"members=({probe},)") == 1


def test_a_class_from_outside_is_named_with_its_module(outside):
    made = EVALUATORS.make("outside_fewshot:Ensemble(C=1, path='/x')")
    assert (made.C, made.path) == (1.0, Path("/x"))
    assert EVALUATORS.canonical(made) == EVALUATORS.canonical("outside_fewshot:Ensemble(C=1, path='/x')")
    signature = EVALUATORS.signature("outside_fewshot:Ensemble")
    assert signature.summary == "Several evaluators."
    assert [p.name for p in signature.parameters] == ["members", "weights", "path", "C", "names"]


def test_annotations_need_not_be_strings(outside):
    made = DATASETS.make("eager_fewshot:Eager('/a', 2, (1, 2))")
    assert made.root == Path("/a")
    assert [type(x) for x in (made.rate, *made.limits)] == [float, float, float]


def entry_point(folder, group, lines):
    info = folder / "outside_fewshot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-fewshot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
    importlib.invalidate_caches()
    members._points.cache_clear()


def test_an_installed_package_joins_by_an_entry_point(outside):
    try:
        entry_point(
            outside,
            "fewshot.evaluators",
            "Ensemble = outside_fewshot:Ensemble\nFailing = failing_fewshot:X\n"
            "LinearProbe = outside_fewshot:Plain\nAbsent = outside_fewshot:Absent",
        )
        assert EVALUATORS.names()[-3:] == ["Absent", "Ensemble", "Failing"]
        assert "outside_fewshot" not in sys.modules
        made = EVALUATORS.make("Ensemble(C=1)", allow_import=False)
        assert EVALUATORS.canonical(made) == EVALUATORS.canonical("Ensemble(C=1)")
        assert EVALUATORS.canonical(made).startswith("Ensemble(members=()")
        assert EVALUATORS.get("LinearProbe") is LinearProbe
        with pytest.raises(ValueError, match="cannot be imported: No module named 'a_module_that_is_not_there'"):
            EVALUATORS.make("Failing")
        with pytest.raises(ValueError, match="the module 'outside_fewshot' has no class 'Absent'"):
            EVALUATORS.make("Absent")
    finally:
        members._points.cache_clear()


def test_a_dotted_name_from_a_file_is_refused_and_not_imported(outside):
    with pytest.raises(ValueError, match=r"'outside_fewshot:Ensemble' comes from a file .* pass --allow-import"):
        EVALUATORS.make("outside_fewshot:Ensemble(C=1)", allow_import=False)
    assert "outside_fewshot" not in sys.modules
    assert EVALUATORS.make("LinearProbe(C=3)", allow_import=False) == LinearProbe(C=3.0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no_such_package.module:X", "the evaluator 'no_such_package.module:X' cannot be imported: No module named"),
        ("outside_fewshot:Absent", "the module 'outside_fewshot' has no class 'Absent'"),
        ("outside_fewshot:function('x')", "the module 'outside_fewshot' has no class 'function'"),
        ("outside_fewshot:Plain", "outside_fewshot:Plain is not a dataclass; write @dataclass"),
        ("os:system('echo')", "the module 'os' has no class 'system'"),
        ("failing_fewshot:X", "cannot be imported"),
        ("Prototyp", r"unknown evaluator 'Prototyp'; known: .*LinearProbe, .*Prototype.* Did you mean Prototype\?"),
        ("linearprobe", r"Did you mean LinearProbe\?"),
        ("linear_probe(C=1)", r"Did you mean LinearProbe\?"),
        ("Zzz", r"unknown evaluator 'Zzz'; known: .*, or package.module:Class\.$"),
        ("LinearProbe(c=1)", "LinearProbe has no field 'c'; its fields are: C"),
        ("NearestNeighbour(n_neighbors=3)", r"no field 'n_neighbors'; its fields are: k, .*\. Did you mean k\?$"),
        ("LinearProbe(maxiter=3)", r"its fields are: C, max_iter.*\. Did you mean max_iter\?$"),
        ("LinearProbe(1, C=2)", "LinearProbe was given its field 'C' twice"),
        ("LinearProbe(1, 2, 3, 4, 5, 6, 7, 8, 9)", r"LinearProbe takes \d arguments \(C.*\), got 9"),
        ("LinearProbe(C=Unknown(1))", "unknown evaluator 'Unknown'"),
        ("LinearProbe(C=nan)", "unknown evaluator 'nan'"),
    ],
)
def test_a_spec_that_fits_no_member_is_one_sentence(outside, spec, message):
    with pytest.raises(ValueError, match=message):
        EVALUATORS.make(spec)


@pytest.mark.parametrize("name", ["Timm", "RandomInit", "Packaged"])
def test_the_field_pretrained_of_other_libraries_is_a_member_here(name):
    with pytest.raises(ValueError, match=r"Timm\(name\) has pre-trained weights, RandomInit\(name\) random ones\.$"):
        BACKBONES.spec(f"{name}('resnet18', pretrained=False)")


def test_a_missing_field_is_named():
    with pytest.raises(ValueError, match=r"ImageFolderSet needs 'root' \(Path\); write ImageFolderSet\(root=...\)"):
        DATASETS.canonical("ImageFolderSet")


MALICIOUS = [
    "",
    " ",
    "1",
    "'Prototype'",
    "Prototype(",
    "Prototype)",
    "Prototype; 1",
    "Prototype\nPrototype",
    "Prototype, Prototype",
    "__import__('os').system('touch ran')",
    "Prototype(__import__('os').system('touch ran'))",
    "Prototype(open('ran', 'w').write('x'))",
    "(lambda: open('ran', 'w'))()",
    "Prototype(metric=lambda: 1)",
    'Prototype(f\'{open("ran", "w")}\')',
    "Prototype([open for open in (1,)])",
    "Prototype(*('a',))",
    "Prototype(**{'C': 1})",
    "Prototype(metric={'a': 1})",
    "Prototype(metric={1, 2})",
    "Prototype(metric=b'x')",
    "Prototype(metric=1j)",
    "Prototype(metric=...)",
    "Prototype(metric=1 + 1)",
    "Prototype(metric='a' * 10**9)",
    "Prototype(metric=2 ** 99)",
    "Prototype(metric=x := 1)",
    "Prototype(metric=(x := 1))",
    "Prototype(metric=os.environ)",
    "Prototype(metric=a[0])",
    "Prototype(metric='a', metric='b')",
    "Prototype(metric=not True)",
    "Prototype(metric=-True)",
    "Prototype()()",
    "Prototype.fit",
    "Prototype if 1 else Prototype",
    "Prototype\0",
    "Prototype(await x)",
    "Prototype(metric=\ud800)",
    "(" * 5000 + ")" * 5000,
    "Prototype(metric=" + "-" * 9000 + "1)",
    "Prototype(" * 1000 + ")" * 1000,
    "Prototype(metric=" + "1+" * 4000 + "1)",
    "Prototype(metric=" + "9" * 5000 + ")",
    "Prototype(metric='" + "x" * 20_000 + "')",
    "-" * 1_000_000,
]


@pytest.mark.parametrize("spec", MALICIOUS, ids=lambda spec: ascii(spec[:40]))
def test_text_that_is_no_spec_is_refused_and_never_evaluated(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for use in (EVALUATORS.canonical, EVALUATORS.spec, EVALUATORS.make):
        with pytest.raises(ValueError, match=r"evaluator|Prototype") as caught:
            use(spec)
        assert len(str(caught.value)) < 500
    assert not (tmp_path / "ran").exists()


def test_the_identity_holds_the_content_of_files_and_no_paths(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    one, other = (SPLITS.spec(f"FromFile({str(tmp_path / name)!r})").identity for name in ("a.json", "b.json"))
    assert one == other == f"FromFile(path='sha256:{hashlib.sha256(b'{}').hexdigest()[:16]}')"
    (tmp_path / "a.json").write_text("{ }")
    assert SPLITS.spec(SPLITS.canonical(FromFile(tmp_path / "a.json"))).identity != other


def test_the_identity_drops_folders_and_leaves_the_rest_alone(tmp_path, outside):
    assert DATASETS.spec(f"ImageFolderSet({str(tmp_path)!r})").identity == "ImageFolderSet()"
    assert EVALUATORS.spec("LinearProbe(C=2)").identity == EVALUATORS.canonical("LinearProbe(C=2)")
    assert "path=None" in EVALUATORS.spec("outside_fewshot:Ensemble").identity


def test_the_identity_of_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the file '.*none': No such file or directory"):
        _ = SPLITS.spec(f"FromFile({str(tmp_path / 'none')!r})").identity


def test_a_default_that_is_not_a_literal_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "odd_fewshot"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "odd.py").write_text("@dataclass\nclass Odd(Base):\n    C: float = field(default=1.0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    message = r"the defaults of odd_fewshot.odd.Odd must be literals.*found field\(default=1.0\)"
    with pytest.raises(ValueError, match=message):
        Registry("odd", "odd_fewshot").names()


def test_a_folder_that_is_none_is_told():
    with pytest.raises(ValueError, match="there is no package 'fewshot_absent'"):
        Registry("x", "fewshot_absent").names()


def test_an_object_is_made_of_itself():
    probe = LinearProbe(C=7.0)
    assert EVALUATORS.make(probe) is probe


def test_numbers_of_numpy_are_written_as_those_of_python():
    assert EVALUATORS.canonical(LinearProbe(np.float64(1))) == EVALUATORS.canonical("LinearProbe(C=1.0)")
    assert EVALUATORS.canonical(LinearProbe(max_iter=np.int64(7))) == EVALUATORS.canonical("LinearProbe(max_iter=7)")


def test_a_function_named_in_a_file_is_refused():
    with pytest.raises(ValueError, match=r"the backbone 'os:abort' comes from a file and would import code"):
        BACKBONES.make("Function(target='os:abort')", allow_import=False)


@pytest.mark.parametrize(
    ("registry", "text"),
    [
        (BACKBONES, r"Function(target='os\x3aabort')"),
        (BACKBONES, r"Function('os\u003aabort')"),
        (BACKBONES, "Function('os' ':abort')"),
        (DATASETS, r"PseudoLabels(Glyphs, backbone='os\x3aabort')"),
        (BACKBONES, r"Pretrained(ConvNet, PseudoLabels(Glyphs, 'os\x3aabort'), CrossEntropy)"),
    ],
)
def test_code_is_refused_however_its_name_is_written(registry, text):
    for _ in range(2):  # also after the text was read with leave to import
        with pytest.raises(ValueError, match="comes from a file and would import code"):
            registry.make(text, allow_import=False)
        registry.spec(text)


@pytest.mark.parametrize(
    "text", ["outside_fewshot:Ensemble(C=1)", "CrossValidated(outside_fewshot:Ensemble(), (('C', (1.0,)),))"]
)
def test_a_spec_that_was_read_from_a_row_is_refused_like_its_text(outside, text):
    with pytest.raises(ValueError, match="comes from a file and would import code"):
        EVALUATORS.make(EVALUATORS.read(text), allow_import=False)
    assert "outside_fewshot" not in sys.modules
    assert BACKBONES.make("Function('os:abort')").target == "os:abort"


def test_a_member_that_stands_above_its_folder_is_read_like_the_others():
    code = (
        "import sys; from fewshot.plugins.registry import DATASETS; "
        "print(DATASETS.canonical('PseudoLabels(Glyphs)'), DATASETS.signature('PseudoLabels').module); "
        "assert not {'torch', 'fewshot.features.pseudo_labels'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "PseudoLabels(images=Glyphs(), backbone='tf_efficientnet_lite0', clusters=50, fewest=20, seed=0, part='all') "
        "fewshot.features.pseudo_labels"
    )


@pytest.mark.parametrize("name", ["Linear", "Sequential", "Identity"])
def test_a_network_as_a_backbone_names_function(name):
    with pytest.raises(
        ValueError, match=rf"torch.nn:{name} is no dataclass, .* write Function\('torch.nn:{name}'\) if"
    ):
        BACKBONES.spec(f"torch.nn:{name}")
    with pytest.raises(ValueError, match=rf"torch.nn:{name} is not a dataclass; write @dataclass\(frozen=True\) above"):
        EVALUATORS.spec(f"torch.nn:{name}")
