"""Client of BURN: finds backdoors in image classifiers and removes them.

    from burn_client import Client

    with Client("https://burn.example.org") as client:          # the key: BURN_KEY, or `burnd client login`
        result = client.purify(model, "train/", preset="cifar10")
    print(result.verdict.result, result.verdict.target_classes)
    model.load_state_dict(result.state_dict())
"""

from ._client import Client
from ._errors import (
    BurnError, IncompatibleService, InputRejected, JobFailed, PackingError, ServiceError, Unreachable, UnsafeModelError,
)
from ._packing import PackedSet, pack_dataset, pack_folder
from ._resources import Agreement, ClassAgreement, ClassEvidence, Event, Input, Job, Verdict
from ._result import Result
from ._version import __version__

__all__ = [
    "Agreement", "BurnError", "ClassAgreement", "ClassEvidence", "Client", "Event", "IncompatibleService", "Input",
    "InputRejected", "Job", "JobFailed", "PackedSet", "PackingError", "Result", "ServiceError", "Unreachable",
    "UnsafeModelError", "Verdict", "__version__", "pack_dataset", "pack_folder",
]
