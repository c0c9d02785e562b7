"""What a customer is told of a deletion once its list is worked off, or refused by the second person."""

from sqlmodel import col, select

from core.db import UnitOfWork
from core.models.retention import (
    PurgeItem,
    PurgeItemState,
    PurgeRun,
    PurgeState,
    SubjectRequest,
    SubjectRequestState,
)


async def settle(work: UnitOfWork, run: PurgeRun) -> None:
    """Bring a request up to date with its list; in the transaction that ends the list."""
    if run.request_id is None:
        return
    request = await work.session.get_one(SubjectRequest, run.request_id, with_for_update=True)
    items = (await work.session.scalars(select(PurgeItem).where(col(PurgeItem.run_id) == run.id))).all()
    by_place = {(item.label, item.data_class): item for item in items}
    outcome: list[dict[str, object]] = []
    for line in request.outcome:
        item = by_place.get((str(line["call_number"]), str(line["data_class"])))
        if line["result"] != "listed" or item is None:
            outcome.append(line)
        elif run.state == PurgeState.REJECTED:
            outcome.append({**line, "result": "refused", "code": "rejected"})
        elif item.state == PurgeItemState.DELETED:
            outcome.append({**line, "result": "deleted"})
        else:
            outcome.append({**line, "result": "refused", "code": item.reason})
    results = {str(line["result"]) for line in outcome}
    request.outcome = outcome
    request.state = state_of(results)
    request.finished_at = work.clock.now()
    work.audit("subject.settled", "subject_request", request.id, state=request.state, outcome=outcome)


def state_of(results: set[str]) -> SubjectRequestState:
    """State of a request from the results of its parts."""
    if "listed" in results:
        return SubjectRequestState.OPEN
    if results <= {"deleted", "given"}:
        return SubjectRequestState.DONE
    return SubjectRequestState.REFUSED if results == {"refused"} else SubjectRequestState.PARTLY
