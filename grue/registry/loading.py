"""Imports one plugin and says whose fault it is where that fails."""

from __future__ import annotations

import importlib.util
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from grue.core.errors import GrueError, TaskContractError
from grue.core.task import Task
from grue.registry.contract import check_structure
from grue.registry.entries import Origin


def load_origin(origin: Origin) -> Task:
    """Import the plugin behind a claim and check what it gives.

    Raises:
        TaskContractError: where importing raises or the object is no task; the original error is chained.
    """
    try:
        found: object = _from_folder(origin.source) if isinstance(origin.source, Path) else origin.source.load()
    except TaskContractError:
        raise
    except (Exception, SystemExit) as error:
        said = error.cause if isinstance(error, GrueError) else f"{type(error).__name__}: {error}"
        raise TaskContractError(
            f"Task {origin.name!r} of {origin.distribution} cannot be loaded from {origin.module}: {said}",
            f"Mend or remove {origin.distribution}; the other tasks work without it.",
        ) from error
    return check_structure(found, origin.name, origin.distribution)


def _from_folder(folder: Path) -> object:
    module = import_folder(folder)
    if not hasattr(module, "TASK"):
        raise TaskContractError(
            f"Task folder {folder} has no TASK in its __init__.py.",
            "Define TASK = Task(...), or start from 'grue tasks new NAME'.",
        )
    return module.TASK


def import_folder(folder: Path) -> ModuleType:
    """Import a folder as a package without touching ``sys.path``; its resources are then found as installed ones are.

    The package's name holds the folder's path, so that two folders of one name do not meet; the same folder is
    imported once a process.
    """
    name = f"grue_included_{sha256(str(folder).encode()).hexdigest()[:12]}_{folder.name}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise TaskContractError(f"Python cannot import the task folder {folder}.", "Give it an __init__.py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # first, so that the package can import its own modules
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
