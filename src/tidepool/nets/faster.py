"""The same numbers with less memory traffic: how the modules of a stack are put before they are trained."""

from __future__ import annotations

from torch import nn

# Their own outputs are not needed on the way back, so what follows may overwrite them.
_GIVE_AWAY = (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool2d)


def rearrange(module: nn.Module) -> nn.Module:
    """Put maximum pooling and flattening before the rectifier that precedes them, let rectifiers overwrite.

    ``max(relu(x)) == relu(max(x))``, to the bit and with the same gradients, on a quarter of the values; rows are
    rectified faster than planes whose channels come last. Names, weights and their order stay as they are.
    Changes and returns ``module``.
    """
    for part in module.modules():
        if not isinstance(part, nn.Sequential):
            continue
        children = list(part.named_children())
        for i in range(len(children) - 1):
            (_, first), (_, second) = children[i : i + 2]
            if isinstance(first, nn.ReLU) and isinstance(second, (nn.MaxPool2d, nn.Flatten)):
                children[i], children[i + 1] = children[i + 1], children[i]
        part._modules = dict(children)
        before: nn.Module | None = None
        for _, child in children:
            if isinstance(child, nn.ReLU):
                child.inplace = isinstance(before, _GIVE_AWAY)
            if not isinstance(child, nn.Flatten):  # hands on what it was given
                before = child
    return module
