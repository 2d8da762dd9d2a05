"""Reading and writing the ``.tidepool`` file: a zip whose members are checked before anything looks into them."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidepool.errors import ModelFileError
from tidepool.files import refuse_existing, whole

if TYPE_CHECKING:
    from tidepool.model import Model

FORMAT = 1
_MANIFEST = "manifest.json"
_MEMBERS = ("model.onnx", "weights.safetensors", "card.json")
# A model for pictures up to 64x64 has some megabytes; a file that claims more than this is not one of ours.
_LARGEST = 512 * 2**20


def write(model: Model, path: str | os.PathLike[str], force: bool) -> None:
    """Write the artefact. The same model gives the same bytes: members bear no time of day."""
    refuse_existing(path, force)
    card = json.dumps(model.card, indent=1, sort_keys=True, allow_nan=False).encode()
    contents = dict(zip(_MEMBERS, (model.onnx, model.weights_bytes, card)))
    manifest = {"format": FORMAT, "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}}
    contents = {_MANIFEST: json.dumps(manifest, indent=1).encode(), **contents}
    with whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def read(path: str | os.PathLike[str]) -> Model:
    """Read and check an artefact; raise ModelFileError, one clear line, for anything that is not whole."""
    from tidepool.model import Model

    file = Path(path)
    if not file.is_file():
        raise ModelFileError(f"{file}: no such file", "tidepool train SRC --out M.tidepool makes a model")
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, file)
            contents = {name: _member(archive, name, file, manifest["sha256"][name]) for name in _MEMBERS}
        card = json.loads(contents["card.json"])
        for key in ("classes", "stack", "preprocessing"):
            if key not in card:
                raise ModelFileError(f"{file}: its card has no '{key}'", "the file was altered: train or copy it again")
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError, NotImplementedError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{file}: not a whole .tidepool file ({str(error) or type(error).__name__})",
            "it was cut short or altered: copy it again",
        ) from error
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read ({error.strerror or error})") from error
    _require_safe_graph(contents["model.onnx"], file)
    return Model(contents["model.onnx"], contents["weights.safetensors"], card)


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    if _MANIFEST not in archive.namelist():
        raise ModelFileError(
            f"{file}: a zip, but not a .tidepool model (no {_MANIFEST})", "give a file that train made"
        )
    manifest: dict[str, Any] = json.loads(_member(archive, _MANIFEST, file))
    if manifest["format"] > FORMAT:
        raise ModelFileError(
            f"{file}: written by a later version (format {manifest['format']}, this one reads up to {FORMAT})",
            "pip install --upgrade masked-tidepool",
        )
    return manifest


def _member(archive: zipfile.ZipFile, name: str, file: Path, sha256: str | None = None) -> bytes:
    if archive.getinfo(name).file_size > _LARGEST:
        raise ModelFileError(
            f"{file}: {name} claims {archive.getinfo(name).file_size:,} bytes, more than any model has"
        )
    data = archive.read(name)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise ModelFileError(f"{file}: {name} was altered (its sha256 does not fit)", "copy the file again")
    return data


def _require_safe_graph(graph: bytes, file: Path) -> None:
    """Refuse operators outside ONNX's own set, and weights that lie in other files."""
    import onnx

    try:
        model = onnx.load_model_from_string(graph)
    except Exception as error:  # protobuf's own error type
        raise ModelFileError(f"{file}: its graph cannot be read", "copy the file again") from error
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    outside = [t.name for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    if foreign or outside or model.functions:
        raise ModelFileError(
            f"{file}: its graph holds custom operators or weights in other files", "do not use this file"
        )
