"""The same numbers with less memory traffic: how the modules of a stack are put before they are trained."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

# Their own outputs are not needed on the way back, so what follows may overwrite them.
_GIVE_AWAY = (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool2d)


def rearrange(module: nn.Module) -> nn.Module:
    """Put maximum pooling before the rectifier that precedes it, and let rectifiers overwrite; return ``module``.

    ``max(relu(x)) == relu(max(x))``, to the bit and with the same gradients, on a quarter of the values.
    Names, weights and their order stay as they are.
    """
    for part in module.modules():
        if not isinstance(part, nn.Sequential):
            continue
        names = list(part._modules)
        for i, (name, following) in enumerate(pairwise(names)):
            if isinstance(part._modules[name], nn.ReLU) and isinstance(part._modules[following], nn.MaxPool2d):
                names[i], names[i + 1] = following, name
        part._modules = {name: part._modules[name] for name in names}
        before: nn.Module | None = None
        for child in part.children():
            if isinstance(child, nn.ReLU):
                child.inplace = isinstance(before, _GIVE_AWAY)
            before = child
    return module
