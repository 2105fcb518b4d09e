"""Tensors of a model folder: read whole from whatever files hold them, and written as one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from hpc.files import read_json, replacing
from hpc.reasons import of_the_machine

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, NDArray[np.float32]]

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"


def read_all(folder: Path) -> tuple[Tensors, dict[str, Path]]:
    """Every tensor of a model folder, as fp32, and the file each is from.

    Args:
        folder: weights in one file, in shards, or pickled.

    Raises:
        UserError: no weights, a file that is damaged, or a tensor that is no floating-point numbers or holds
            some that are not finite (code 3).
    """
    tensors: Tensors = {}
    files: dict[str, Path] = {}
    for path in _files(folder):
        for name, value in read_file(path).items():
            if name in files:
                raise UserError(f"{path} and {files[name]} both hold {name}", code=3)
            tensors[name], files[name] = value, path
    return tensors, files


def read_file(path: Path) -> Tensors:
    """The tensors of one file, as fp32; see `read_all`."""
    try:
        with open(path, "rb"):  # safetensors calls whatever cannot be opened a missing file
            tensors = _pickled(path) if path.name == PICKLED else _safetensors(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", code=3) from error
    except Exception as error:  # safetensors and pickle raise what they like for a damaged file
        if of_the_machine(error):
            raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is damaged: {reason}", code=3) from error
    for name, value in tensors.items():
        # Extremes pass NaN on, and cost no copy of a large table.
        if value.size and not (np.isfinite(value.min()) and np.isfinite(value.max())):
            raise UserError(f"{path}: {name} holds numbers that are not finite", code=3)
    return tensors


def shards(index: Path) -> list[str]:
    """The files that an index of shards lists.

    Raises:
        UserError: it is damaged (code 3).
    """
    try:
        names = sorted(set(read_json(index)["weight_map"].values()))
        if all(isinstance(name, str) and "/" not in name for name in names):
            return names
    except (KeyError, TypeError, AttributeError):
        pass
    raise UserError(f"{index} is damaged: its weight_map does not name files beside it", code=3)


def write(tensors: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """A safetensors file, in the order of the names; readable by whoever can read the folder."""
    from safetensors.numpy import save_file

    contiguous = {name: np.ascontiguousarray(value) for name, value in sorted(tensors.items())}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, metadata={"format": "pt"})


def write_torch(tensors: Mapping[str, "Tensor"], path: Path) -> None:
    """As `write`, of tensors on the host, each in the precision it has."""
    from safetensors.torch import save_file

    contiguous = {name: value.detach().contiguous() for name, value in sorted(tensors.items())}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, metadata={"format": "pt"})


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return [folder / name for name in shards(folder / INDEX)]
    if (folder / PICKLED).is_file():
        return [folder / PICKLED]
    raise UserError(f"no weights at {folder}: none of {WEIGHTS}, {INDEX}, {PICKLED}", code=3)


def _safetensors(path: Path) -> Tensors:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        types = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        strange = [name for name, kind in types.items() if kind[0] not in "FB" and not name.endswith("_ids")]
        if strange:
            raise ValueError(f"{strange[0]} holds {types[strange[0]]}, not floating-point numbers")
        if "BF16" not in types.values():
            return {name: file.get_tensor(name).astype(np.float32, copy=False) for name in types}
    with safe_open(path, framework="pt") as file:  # numpy has no bfloat16
        return {name: file.get_tensor(name).float().numpy() for name in types}


def _pickled(path: Path) -> Tensors:
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: value.float().numpy() for name, value in state.items()}
