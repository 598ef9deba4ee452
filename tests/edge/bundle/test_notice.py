from dataclasses import replace

import pytest

from mmer.edge.bundle.inspect import inspect, lines
from mmer.edge.bundle.manifest import Content, Manifest
from mmer.edge.bundle.notice import figures, notice_in, noticed
from mmer.edge.bundle.writer import write_bundle
from mmer.edge.errors import BundleError, SettingError

ODD = ["", "  ", "two\nlines", "\x1b[2Jgone", "right \u202e left", "x" * 201]


def test_a_notice_lies_beside_the_figures():
    metrics = noticed({"uar": 0.5}, "a toy")
    assert (notice_in(metrics), figures(metrics)) == ("a toy", {"uar": 0.5})


def test_without_a_notice_the_metrics_stay_as_they_are():
    assert (noticed({"uar": 0.5}, None), notice_in({})) == ({"uar": 0.5}, None)


@pytest.mark.parametrize("text", ODD)
def test_what_no_terminal_can_show_in_a_line_is_no_notice(text):
    with pytest.raises(SettingError, match="one printable line"):
        noticed({}, text)


@pytest.mark.parametrize("text", [*ODD, None, 7, ["a toy"]])
def test_a_bundle_with_an_odd_notice_is_refused(parts, text):
    files = {name: Content.of(content) for name, content in parts.files.items()}
    whole = replace(parts.manifest, files=files, metrics={"notice": text})
    with pytest.raises(BundleError, match="notice"):
        Manifest.decoded(whole.encoded(), "tiny")


def test_inspect_says_the_notice_apart_from_the_figures(parts, tmp_path):
    manifest = replace(parts.manifest, metrics={"notice": "a toy", "uar": 0.5})
    bundle = write_bundle(tmp_path / "bundle", manifest, parts.files)
    said = [line.split(maxsplit=1) for line in lines(bundle) if line.split()[0] in {"notice", "metric"}]
    assert (inspect(bundle)["notice"], said) == ("a toy", [["notice", "a toy"], ["metric", "uar: 0.5"]])
