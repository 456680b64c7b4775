"""What is timed, and why. Shapes are channels first; a case says in which layout it is stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One workload."""

    family: str
    operation: str  # avg, max (with indices), avg_backward, max_backward
    shape: tuple[int, ...]
    size: tuple[int, ...]
    data_format: str = "channels_first"
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """A line of the table."""
        layout = "" if self.data_format == "channels_first" else ", channels last"
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"{self.shape} -> {self.size}{layout}{dtype}".replace(",)", ")")

    @property
    def ndim(self) -> int:
        """The number of pooled axes."""
        return len(self.size)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape in memory."""
        if self.data_format == "channels_first":
            return self.shape
        return (self.shape[0], *self.shape[2:], self.shape[1])


# Why each: what makes it hard or common.
PLANES = {
    ((16, 256, 100, 100), (10, 10)): "large planes, many of them, from memory: windows of 10 x 10",
    ((4, 512, 112, 112), (7, 7)): "the feature maps of a detector's early stage",
    ((4, 512, 56, 56), (7, 7)): "the same, of a size that caches hold",
    ((8, 256, 14, 14), (7, 7)): "small planes: what is done for each plane counts",
    ((1, 64, 8, 9), (5, 7)): "a call of microseconds",
    ((1, 64, 13, 13), (20, 20)): "more outputs than inputs",
    ((1, 256, 50, 68), (7, 7)): "one region of interest",
    ((32, 64, 224, 224), (7, 7)): "windows of 32 x 32, far larger than any cache",
    ((1, 3, 1080, 1920), (224, 224)): "one picture: three planes, long lines",
}
GLOBAL = {
    ((32, 2048, 7, 7), (1, 1)): "the last layer of a ResNet",
    ((1, 512, 7, 7), (1, 1)): "the same for one picture",
}
OTHER = {
    ((16, 64, 20000), (50,)): "1d: long windows along the contiguous axis",
    ((4, 32, 16, 56, 56), (4, 7, 7)): "3d: video features",
}
QUICK = ((1, 64, 8, 9), (5, 7))


def cases(*, quick: bool = False) -> list[Case]:
    """All workloads, or two for a check that this still runs."""
    result = [
        Case(f"{operation}, {layout.replace('_', ' ')}", operation, *plane, data_format=layout)
        for operation in ("avg", "max", "avg_backward", "max_backward")
        for layout in ("channels_first", "channels_last")
        for plane in PLANES
    ]
    result += [Case("avg, output size 1", "avg", *plane) for plane in GLOBAL]
    result += [Case(f"{op}, 1d and 3d", op, *plane) for op in ("avg", "max") for plane in OTHER]
    result += [
        Case(f"{op}, halves", op, (16, 128, 30, 30), (7, 7), dtype=dtype)
        for op in ("avg", "max")
        for dtype in ("float16", "bfloat16")
    ]
    if quick:
        return [c for c in result if (c.shape, c.size) == QUICK]
    return result
