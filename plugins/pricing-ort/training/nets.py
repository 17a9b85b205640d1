"""Networks that judge beside the trees.

Trees cut a car into steps and learn every model by itself; a network draws models, makes and words that behave alike
together. Each errs where the other does not, so that their mean errs less than either.

More age, more mileage, an older registration or a later market never raises the answer: these facts enter through weights that cannot be
negative, and everything else only says how strongly they count.
"""

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

import features as F

CHOICES = {
    "gearbox": [-1, 0, 1], "body": range(-1, len(F.BODIES)), "country": range(-1, len(F.COUNTRIES)), "doors": [-1, 2, 3, 4, 5],
    "seats": [-1, 2, 4, 5, 7],
}
DRIVEN, RISING = ["age", "km"], ["enc_generation", "enc_generation_power", "market_months_ago"]
# Years and thousands of kilometres, in the size that networks like.
LINEAR, LOGARITHM, ROOT = [5.0, 60.0], [1.0, 20.0], [1.0, 49.0]
HIDDEN, CURVES, WORD, MAKE = 256, 64, 12, 8
EPOCHS, RATE, WORDS_DROPPED = 24, 4e-3, 0.1
# Few ads are learnt from in smaller batches, so that there are steps enough.
LARGEST_BATCH, SMALLEST_BATCH = 512, 32


class Network(nn.Module):
    def __init__(self, names, sizes, x, y):
        super().__init__()
        at = {name: n for n, name in enumerate(names)}
        apart = {*CHOICES, *DRIVEN, *RISING, *F.INDEX, *(n for n in names if n.startswith("flag_"))}
        self.plain = [at[n] for n in names if n not in apart]
        self.choice = [at[n] for n, values in CHOICES.items() for _ in values]
        self.driven, self.rising, self.index = ([at[n] for n in some] for some in (DRIVEN, RISING, F.INDEX))
        constant = lambda name, value: self.register_buffer(name, torch.tensor(np.asarray(value, np.float32)))
        constant("values", [v for values in CHOICES.values() for v in values])
        for name, columns in (("plain", self.plain), ("rising", self.rising)):
            constant(f"{name}_least", x[:, columns].min(0))
            constant(f"{name}_most", x[:, columns].max(0))
            constant(f"{name}_mean", x[:, columns].mean(0, dtype=float))
            spread = x[:, columns].std(0, dtype=float)
            constant(f"{name}_spread", np.where(spread > 1e-3, spread, 1.0))
        constant("level", y.mean())
        constant("linear", LINEAR), constant("logarithm", LOGARITHM), constant("root", ROOT)
        self.models, self.makes, self.words = (nn.Embedding(n, d) for n, d in zip(sizes, (WORD, MAKE, WORD)))
        for table in (self.models, self.makes, self.words):
            nn.init.normal_(table.weight, 0, 0.05)
        self.words = nn.Embedding.from_pretrained(self.words.weight.data, freeze=False, padding_idx=0)
        with torch.no_grad():
            self.words.weight[0] = 0
        width = len(self.plain) + len(self.choice) + 3 * WORD + MAKE
        self.first, self.second = nn.Linear(width, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.free, self.shift, self.strength = nn.Linear(HIDDEN, 1), nn.Linear(HIDDEN, CURVES), nn.Linear(HIDDEN, CURVES)
        nn.init.constant_(self.strength.bias, -2.5)
        self.slopes = nn.Parameter(torch.randn(3 * len(DRIVEN) + len(RISING), CURVES) * 0.5 - 1.5)

    def forward(self, x):
        model, make, words = (x[:, columns].long() for columns in (self.index[0], self.index[1], self.index[2:]))
        model, said = self.models(model), self.words(words).sum(1)
        # What is beyond all that was learnt from counts as the farthest that was.
        scaled = lambda columns, least, most, mean, spread: (x[:, columns].clamp(least, most) - mean) / spread
        plain = scaled(self.plain, self.plain_least, self.plain_most, self.plain_mean, self.plain_spread)
        rising = scaled(self.rising, self.rising_least, self.rising_most, self.rising_mean, self.rising_spread)
        choice = (x[:, self.choice] == self.values).float()
        hidden = torch.cat([plain, choice, said, model, self.makes(make), said * model], 1)
        for layer in (self.first, self.second):
            hidden = functional.silu(layer(hidden))
        driven = x[:, self.driven]
        newness = torch.cat(
            [-driven / self.linear, -torch.log(1 + driven / self.logarithm), -torch.sqrt(driven / self.root), rising], 1
        )
        curves = torch.tanh(newness @ functional.softplus(self.slopes) + self.shift(hidden))
        return self.level + (self.free(hidden) + (functional.softplus(self.strength(hidden)) * curves).sum(1, keepdim=True)).squeeze(1)

    def predict(self, x):
        with torch.no_grad():
            return np.concatenate([self(part).numpy() for part in torch.from_numpy(x).split(4096)]).astype(float)


def fit(x, y, names, sizes, seed):
    """Adam with one rise and fall of the rate; words are left out at random, so that none is relied on alone."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network, target, x = Network(names, sizes, x, y), torch.from_numpy(y.astype(np.float32)), torch.from_numpy(x)
    batch_size = min(LARGEST_BATCH, max(SMALLEST_BATCH, len(x) // 200))
    steps = len(x) // batch_size
    optimizer = torch.optim.AdamW(network.parameters(), RATE, (0.9, 0.99), weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps * EPOCHS, pct_start=0.15)
    words = network.index[2:]
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x))[: steps * batch_size].split(batch_size):
            batch = x[rows]
            batch[:, words] *= torch.rand(len(rows), len(words)) > WORDS_DROPPED
            loss = functional.smooth_l1_loss(network(batch), target[rows], beta=0.08)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
    # 16 bits a weight are shipped, so that these are what is measured.
    for weights in network.parameters():
        weights.data = weights.data.half().float()
    return network.eval()


class Graph:
    """The nodes of an ONNX model, written one after the other."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operator, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, values, kind=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def weights(self, tensor):
        """Kept in 16 bits."""
        return self.add("Cast", self.constant(tensor.detach().numpy(), np.float16), to=TensorProto.FLOAT)

    def columns(self, x, places):
        return self.add("Gather", x, self.constant(places, np.int64), axis=1)


def write(graph, network, x):
    """Adds the network to the graph; answers the name of its output, [N, 1]."""
    add, constant, weights = graph.add, graph.constant, graph.weights
    looked_up = lambda table, places: add(
        "Gather", weights(table.weight), add("Cast", graph.columns(x, places), to=TensorProto.INT64), axis=0
    )
    one = constant([1], np.int64)
    model, make, words = (
        add("ReduceSum", looked_up(table, places), one, keepdims=0)
        for table, places in (
            (network.models, network.index[:1]), (network.makes, network.index[1:2]), (network.words, network.index[2:])
        )
    )

    def scaled(columns, least, most, mean, spread):
        value = add("Min", add("Max", graph.columns(x, columns), constant(least)), constant(most))
        return add("Div", add("Sub", value, constant(mean)), constant(spread))

    plain = scaled(network.plain, network.plain_least, network.plain_most, network.plain_mean, network.plain_spread)
    rising = scaled(network.rising, network.rising_least, network.rising_most, network.rising_mean, network.rising_spread)
    choice = add("Cast", add("Equal", graph.columns(x, network.choice), constant(network.values)), to=TensorProto.FLOAT)
    hidden = add("Concat", plain, choice, words, model, make, add("Mul", words, model), axis=1)
    linear = lambda layer, value: add("Gemm", value, weights(layer.weight), weights(layer.bias), transB=1)
    for layer in (network.first, network.second):
        value = linear(layer, hidden)
        hidden = add("Mul", value, add("Sigmoid", value))
    part = lambda sizes: add("Div", graph.columns(x, network.driven), constant(sizes))
    older = [part(network.linear), add("Log", add("Add", part(network.logarithm), constant(1.0))), add("Sqrt", part(network.root))]
    newness = add("Concat", *(add("Neg", fact) for fact in older), rising, axis=1)
    driven = add("MatMul", newness, add("Softplus", weights(network.slopes)))
    curves = add("Tanh", add("Add", driven, linear(network.shift, hidden)))
    counted = add("Mul", add("Softplus", linear(network.strength, hidden)), curves)
    tied = add("ReduceSum", counted, one, keepdims=1)
    return add("Add", add("Add", linear(network.free, hidden), tied), constant(network.level))
