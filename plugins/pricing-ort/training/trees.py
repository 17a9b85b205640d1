"""Boosted trees as an ONNX model.

The converters at hand write the operator of version 3, which spells a word for every node; `TreeEnsemble` of version 5
is a quarter of its size, so that four times the trees fit.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import nets

LESS_OR_EQUAL, SUM, UNCHANGED = 0, 1, 0


class Nodes:
    """The arrays of the operator, filled tree by tree."""

    def __init__(self):
        self.features, self.splits, self.roots, self.leaves = [], [], [], []
        self.children = {side: ([], []) for side in ("true", "false")}  # number, and whether it is a leaf

    def add(self, tree, scale):
        self.roots.append(len(self.features))
        if "leaf_value" in tree:  # A tree of one leaf: a question with one answer.
            tree = {"split_feature": 0, "threshold": 0.0, "left_child": tree, "right_child": tree}
        self.branch(tree, scale)

    def branch(self, node, scale):
        number = len(self.features)
        self.features.append(node["split_feature"])
        self.splits.append(below(node["threshold"]))
        for numbers, leaves in self.children.values():
            numbers.append(0)
            leaves.append(0)
        for side, child in (("true", node["left_child"]), ("false", node["right_child"])):
            numbers, leaves = self.children[side]
            leaves[number] = int("leaf_value" in child)
            numbers[number] = self.leaf(child, scale) if leaves[number] else self.branch(child, scale)
        return number

    def leaf(self, node, scale):
        self.leaves.append(node["leaf_value"] * scale)
        return len(self.leaves) - 1


def below(threshold):
    """The largest 32-bit number that is not above: questions of 32-bit numbers keep their answers."""
    nearest = np.float32(threshold)
    # Compared as 64 bits: numpy would round the threshold to 32 first.
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf))


def mean_of(boosters, width, networks=(), networks_count=0.0):
    """The mean of boosters over float32 [N, width], as the bytes of a model with the output float32 [N, 1].

    Networks count so much in it, the boosters the rest.
    """
    nodes = Nodes()
    for booster in boosters:
        for tree in booster.dump_model()["tree_info"]:
            assert "decision_type" not in tree["tree_structure"] or tree["tree_structure"]["decision_type"] == "<="
            nodes.add(tree["tree_structure"], (1.0 - networks_count) / len(boosters))
    tensor = lambda values, kind: numpy_helper.from_array(np.asarray(values, kind))
    operator = helper.make_node(
        "TreeEnsemble", ["input"], ["trees" if networks else "output"], domain="ai.onnx.ml", n_targets=1, aggregate_function=SUM,
        post_transform=UNCHANGED, tree_roots=nodes.roots, nodes_featureids=nodes.features,
        nodes_splits=tensor(nodes.splits, np.float32),
        nodes_modes=tensor(np.full(len(nodes.features), LESS_OR_EQUAL), np.uint8),
        nodes_truenodeids=nodes.children["true"][0], nodes_trueleafs=nodes.children["true"][1],
        nodes_falsenodeids=nodes.children["false"][0], nodes_falseleafs=nodes.children["false"][1],
        leaf_targetids=[0] * len(nodes.leaves), leaf_weights=tensor(nodes.leaves, np.float32),
    )
    graph = nets.Graph()
    if networks:
        share = graph.constant(networks_count / len(networks))
        answers = [graph.add("Mul", nets.write(graph, network, "input"), share) for network in networks]
        graph.nodes.append(helper.make_node("Sum", ["trees", *answers], ["output"]))
    value = lambda name, columns: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, columns])
    model = helper.make_graph(
        [operator, *graph.nodes], "prices", [value("input", width)], [value("output", 1)], graph.constants
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)]
    return helper.make_model(model, opset_imports=opsets, ir_version=10).SerializeToString()
