"""What a study reaches from here: SLURM, the model hub, data."""

import shutil
from contextlib import suppress

from hpc.errors import UserError
from hpc.files import listing
from hpc.finding import Finding

_HUB_SECONDS = 3.0


def slurm() -> Finding:
    """Whether a cluster answers, and how large it is."""
    if shutil.which("sinfo") is None:
        return Finding(
            what="SLURM",
            told="not here: runs are started on this machine alone",
            is_well=False,
            matters=False,
            advice="on a cluster's login node: stilts launch --grid all --cluster NAME (see slurm/)",
        )
    from hpc.slurm.answers import Passing
    from hpc.slurm.machines import machines

    problem, nodes = "sinfo knows no nodes", []
    with suppress(UserError):
        try:
            nodes = machines()
        except Passing as error:
            problem = f"sinfo does not answer: {error}"
    if not nodes:
        return Finding(
            what="SLURM",
            told=problem,
            is_well=False,
            matters=False,
            advice="try again, or ask the cluster's people",
        )
    told = []
    for partition in sorted({node.partition for node in nodes}):
        those = [node for node in nodes if node.partition == partition]
        told.append(f"{partition} ({len(those)} nodes, {sum(node.gpus for node in those)} GPUs)")
    more = f" and {len(told) - 4} more" if len(told) > 4 else ""
    return Finding(what="SLURM", told=", ".join(told[:4]) + more)


def hub() -> Finding:
    """Whether the model hub answers within a few seconds."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        told = "left alone: HF_HUB_OFFLINE is set"
    else:
        try:
            with suppress(HTTPError):  # an answer, too
                urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=_HUB_SECONDS).close()
        except (OSError, ValueError) as error:
            told = f"{constants.ENDPOINT} does not answer: {getattr(error, 'reason', error)}"
        else:
            return Finding(what="Hub", told=f"{constants.ENDPOINT} answers")
    return Finding(
        what="Hub",
        told=told,
        is_well=False,
        matters=False,
        advice="where it does: stilts data stage --study NAME --output FOLDER; carry the folder here",
    )


def data() -> Finding:
    """The folder of original or staged files."""
    from stilts.data.sources.folder import ROOT, root

    if root().is_dir():
        tasks = [path.name for path in listing(root(), "[!.]*") if path.is_dir()]
        return Finding(what="data", told=f"{root()} holds {len(tasks)} folders")
    return Finding(
        what="data",
        told=f"no folder {root()} ({ROOT}): tiny and mini bring their own",
        is_well=False,
        matters=False,
        advice=f"for other studies: stilts data stage, then export {ROOT}=FOLDER, then stilts data check",
    )
