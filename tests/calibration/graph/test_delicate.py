from mmer.calibration.graph.delicate import preparatory
from mmer.calibration.graph.network import Network

ROBUST = {"Relu", "Mul", "Add"}


def test_what_leads_to_a_softmax_through_arithmetic_alone_is_a_part_of_it(build):
    builder = build()
    scaled = builder.node("Mul", builder.node("Relu", "x"), builder.weight(8))
    masked = builder.node("Add", scaled, builder.weight(8))
    builder.node("Softmax", masked, output="y")
    assert preparatory(Network.of(builder.model({"x": ["N", 8]}, {"y": ["N", 8]})), ROBUST) == {scaled, masked}


def test_what_something_robust_reads_as_well_is_not(build):
    builder = build()
    total = builder.node("Add", "x", builder.weight(8))
    shares = builder.node("Softmax", total)
    builder.node("Mul", shares, builder.node("Relu", total), output="y")
    assert preparatory(Network.of(builder.model({"x": ["N", 8]}, {"y": ["N", 8]})), ROBUST) == set()


def test_what_the_graph_gives_away_is_not(build):
    builder = build()
    builder.node("Add", "x", builder.weight(8), output="y")
    builder.node("Softmax", "y", output="z")
    assert preparatory(Network.of(builder.model({"x": ["N", 8]}, {"y": ["N", 8], "z": ["N", 8]})), ROBUST) == set()
