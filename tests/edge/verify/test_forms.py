"""What a bundle can run as."""

from dataclasses import replace

import pytest

from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import SettingError
from mmer.edge.verify.forms import forms, held, reference


def test_forms_are_named_by_precision_and_target(bundle):
    assert held(bundle, "int8") == ("int8.ort", "int8.ort7")
    assert held(bundle, "fp16") == ()


def test_the_reference_is_float_in_every_graph(bundle):
    assert {found.precision for found in reference(bundle).loaded.values()} == {"fp32"}


def test_a_form_by_itself_takes_no_other_form_in_its_place(bundle):
    by_name = {form.name: form.swapped for form in forms(bundle, "int8")}
    assert by_name == {
        "int8.ort": {"level": "int8.ort", "votes": "int8.ort"},
        "int8.ort7": {"votes": "int8.ort7"},
    }


def test_only_sessions_that_differ_from_float_are_kept(bundle):
    assert [set(form.sessions) for form in forms(bundle, "int8")] == [{"level", "votes"}, {"votes"}]


def test_without_float_there_is_nothing_to_compare_with(bundle, tmp_path):
    votes = bundle.manifest.graphs["votes"]
    cut = replace(votes, files={name: v for name, v in votes.files.items() if name != "fp32"})
    manifest = replace(bundle.manifest, graphs={**bundle.manifest.graphs, "votes": cut})
    files = {name: bundle.read(name) for name in bundle.manifest.files if name != "graphs/votes.fp32.onnx"}
    with pytest.raises(SettingError, match="graph votes has no fp32 form to compare with"):
        reference(write_bundle(tmp_path / "cut", manifest, files))
