"""The JSON schema of everything that travels, from which the pages' types are generated (`./dev gen`)."""

import json

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from qa.calibration import schemas as calibration
from qa.desk import schemas as desk
from qa.evidence import schemas as evidence
from qa.improve import schemas as improve
from qa.reports import schemas as reports
from qa.review import schemas as review
from qa.rules import schemas as rules
from qa.sampling import schemas as sampling
from qa.scoring import schemas as scoring
from qa.search import schemas as search
from qa.training import schemas as training
from qa.waiting import schemas as waiting
from recording.evidence import schemas as evidence_packages
from recording.export import schemas as export
from recording.retention import schemas as retention
from recording.subject import schemas as subject
from server.acd import schemas as acd
from server.audit import schemas as audit
from server.backup import schemas as backup
from server.booking import schemas as booking
from server.calls import schemas as calls
from server.chat import schemas as chat
from server.counter import schemas as counter
from server.counter.banking import schemas as banking
from server.counter.changes import schemas as changes
from server.counter.demo import schemas as demo
from server.counter.fraud import schemas as fraud
from server.counter.notices import schemas as notices
from server.counter.review import schemas as dual_review
from server.counter.vouchers import schemas as vouchers
from server.identity import schemas as identity
from server.knowledge import schemas as knowledge
from server.open import schemas as open_interface
from server.operations import schemas as operations
from server.statistics import schemas as statistics
from server.tickets import schemas as tickets
from server.wallboard import schemas as wallboard
from signaling.schema import schema

_REQUESTS = ("Request", "FailedJob")


def http_models() -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """Every model of the rooms' ``schemas.py``: requests as they are validated, answers as they are sent."""
    found: dict[str, tuple[type[BaseModel], JsonSchemaMode]] = {}
    for module in (
        identity,
        counter,
        demo,
        calls,
        acd,
        chat,
        booking,
        wallboard,
        tickets,
        knowledge,
        statistics,
        desk,
        evidence,
        sampling,
        review,
        improve,
        calibration,
        scoring,
        reports,
        search,
        training,
        waiting,
        rules,
        export,
        evidence_packages,
        retention,
        subject,
        audit,
        banking,
        changes,
        fraud,
        notices,
        dual_review,
        vouchers,
        open_interface,
        backup,
        operations,
    ):
        for name, model in vars(module).items():
            if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__:
                if name in found:
                    raise ValueError(f"two models are named {name}: {found[name][0].__module__} and {module.__name__}")
                found[name] = (model, "validation" if name.endswith(_REQUESTS) else "serialization")
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    print(json.dumps(schema(http_models()), indent=1, ensure_ascii=False))
