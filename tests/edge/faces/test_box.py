import numpy as np
import pytest

from mmer.edge.faces.box import Boxes, containment, grow, iou, nms, pairs, regress, square


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_iou_is_shared_area_over_joint_area():
    assert iou(boxes((0, 0, 2, 2)), boxes((1, 0, 3, 2), (0, 0, 2, 2), (5, 5, 6, 6)))[0] == pytest.approx([1 / 3, 1, 0])


def test_empty_boxes_overlap_nothing():
    assert iou(boxes((1, 1, 1, 1)), boxes((1, 1, 1, 1))).item() == 0


def test_containment_of_a_box_within_another_is_whole():
    assert containment(boxes((0, 0, 10, 10)), boxes((2, 2, 4, 4))).item() == 1


def test_nms_keeps_the_best_of_a_heap_and_what_stands_apart():
    heap = boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60))
    assert nms(heap, np.array([0.7, 0.9, 0.8], np.float32), 0.5).tolist() == [1, 2]


def test_nms_lets_a_suppressed_box_suppress_nothing():
    row = boxes((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10))
    assert nms(row, np.array([0.9, 0.8, 0.7], np.float32), 0.3).tolist() == [0, 2]


def test_nms_of_nothing_is_nothing():
    assert len(nms(boxes(), np.empty(0, np.float32), 0.5)) == 0


def test_pairs_take_the_best_overlap_first_and_each_box_once():
    known, seen = boxes((0, 0, 10, 10), (6, 0, 16, 10)), boxes((5, 0, 15, 10), (100, 0, 110, 10))
    assert pairs(known, seen, 0.2) == [(1, 0)]


def test_regression_moves_edges_in_units_of_the_sides():
    moved = regress(boxes((10, 20, 30, 60)), np.array([[0.1, 0.1, -0.1, 0.5]], np.float32))
    assert moved[0] == pytest.approx([12, 24, 28, 80])


def test_square_has_the_longer_side_and_the_same_centre():
    assert square(boxes((10, 0, 20, 30)))[0] == pytest.approx([0, 0, 30, 30])


def test_grown_box_keeps_its_centre():
    assert grow(boxes((10, 0, 20, 30)), 2)[0] == pytest.approx([5, -15, 25, 45])
