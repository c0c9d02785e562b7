"""From a stored transcript to findings and a pre-score, each exactly once."""

import asyncio
from decimal import Decimal

import pytest
from call_rows import GOOD_TRANSFER, CallRows
from sqlmodel import col, select

from core.db import Database
from core.events import ComplianceChecked, Event, TranscriptReady, event_from_json
from core.models.call import Call
from core.models.qa import ComplianceCheck, Evaluation, EvaluationState, Finding
from core.models.system import OutboxEvent
from core.models.transcript import Transcript, TranscriptState
from core.security.actor import system_actor
from qa.compliance import service as compliance
from qa.compliance.rules import load_rules
from qa.scoring import service as scoring
from qa.scoring.form import load_form

RUDE = (*GOOD_TRANSFER, ("teller", 30.0, 33.0, "你是不是傻，听不懂人话吗？"))
PROMISE = (*GOOD_TRANSFER, ("teller", 30.0, 34.0, "这个产品保本保息，稳赚不赔。"))


class Chain:
    """Runs the two handlers as the worker would, on the facts found in the outbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.checks = compliance.ComplianceService(database, load_rules())
        self.scores = scoring.ScoringService(database, load_form())

    async def ready(self, call: Call, transcribed: bool = True) -> TranscriptReady:
        event = TranscriptReady(at=self.database.clock.now(), call_id=call.id, transcribed=transcribed, engine="test")
        await self.checks.on_transcript_ready(event)
        return event

    async def facts(self, kind: type[Event]) -> list[Event]:
        async with self.database.read() as session:
            query = select(OutboxEvent).where(col(OutboxEvent.type) == kind.__name__).order_by(col(OutboxEvent.seq))
            return [event_from_json(row.type, row.payload) for row in (await session.scalars(query)).all()]

    async def checked(self) -> list[ComplianceChecked]:
        return [fact for fact in await self.facts(ComplianceChecked) if isinstance(fact, ComplianceChecked)]

    async def evaluation(self) -> Evaluation:
        async with self.database.read() as session:
            return (await session.scalars(select(Evaluation))).one()

    async def scored_count(self) -> int:
        async with self.database.read() as session:
            return len((await session.scalars(select(OutboxEvent).where(col(OutboxEvent.type) == "CallScored"))).all())


@pytest.fixture
def rows(database: Database) -> CallRows:
    return CallRows(database)


@pytest.fixture
def chain(database: Database) -> Chain:
    return Chain(database)


@pytest.fixture
async def call(rows: CallRows) -> Call:
    return await rows.call(await rows.staff("teller", "teller"))


def test_subscriptions_are_the_chain(chain: Chain) -> None:
    handlers = [*compliance.subscriptions(chain.checks), *scoring.subscriptions(chain.scores)]
    assert [(each.event.__name__, each.name) for each in handlers] == [
        ("TranscriptReady", "qa.check"),
        ("ComplianceChecked", "qa.score"),
    ]


async def test_findings_are_stored_with_the_version_that_judged(
    chain: Chain, rows: CallRows, call: Call, database: Database
) -> None:
    await rows.transcript(call)
    await chain.ready(call)
    async with database.read() as session:
        check = (await session.scalars(select(ComplianceCheck))).one()
        findings = {row.rule_id: row for row in (await session.scalars(select(Finding))).all()}
    assert check.rule_set_version.startswith("counter_script-1-")
    assert findings["customer_consent"].kind == "present"
    assert findings["customer_consent"].party in ("customer", "teller")
    assert findings["greeting_identity"].at_s is not None
    assert "1001" in findings["greeting_identity"].evidence
    assert findings["ask_purpose"].kind == "missing"
    assert findings["ask_purpose"].at_s is None


async def test_not_transcribed_is_not_checked(chain: Chain, rows: CallRows, call: Call) -> None:
    await rows.transcript(call, (), state=TranscriptState.NOT_TRANSCRIBED)
    await chain.ready(call, transcribed=False)
    assert await chain.checked() == []


async def test_half_a_dialogue_is_not_checked(chain: Chain, rows: CallRows, call: Call, database: Database) -> None:
    await rows.transcript(call)
    async with database.unit_of_work(system_actor("test")) as work:
        side = (await work.session.scalars(select(Transcript).where(col(Transcript.party) == "teller"))).one()
        side.state = TranscriptState.FAILED
    await chain.ready(call)
    assert await chain.checked() == []


async def test_a_handler_that_runs_again_changes_nothing(chain: Chain, rows: CallRows, call: Call) -> None:
    await rows.transcript(call)
    event = await chain.ready(call)
    await asyncio.gather(*(chain.checks.on_transcript_ready(event) for _ in range(3)))
    (checked,) = await chain.checked()
    await asyncio.gather(*(chain.scores.on_compliance_checked(checked) for _ in range(4)))
    assert await chain.scored_count() == 1
    assert (await chain.evaluation()).version == 1


async def test_the_pre_score_follows_the_findings(chain: Chain, rows: CallRows, call: Call) -> None:
    await rows.transcript(call, PROMISE)
    await chain.ready(call)
    (checked,) = await chain.checked()
    await chain.scores.on_compliance_checked(checked)
    evaluation = await chain.evaluation()
    assert evaluation.state == EvaluationState.PENDING
    assert evaluation.auto_fatal is True
    assert evaluation.auto_score == 0
    assert evaluation.max_score == 100
    assert evaluation.auto_answers["no_promise"] == {"fraction": "0"}
    assert evaluation.auto_answers["risk"] == {"fraction": None}  # asked of wealth products alone
    assert (evaluation.score, evaluation.answers, evaluation.form_version) == (None, {}, "counter_form-1")


async def test_a_transcript_done_again_renews_only_the_automatic_part(
    chain: Chain, rows: CallRows, call: Call, database: Database
) -> None:
    await rows.transcript(call)
    await chain.ready(call)
    await chain.scores.on_compliance_checked((await chain.checked())[0])
    first = await chain.evaluation()
    await rows.transcript(call, RUDE)  # the newest transcript counts
    await chain.ready(call)
    older, newer = await chain.checked()
    await chain.scores.on_compliance_checked(newer)
    await chain.scores.on_compliance_checked(older)  # delivered late: must not win
    second = await chain.evaluation()
    assert second.auto_score < first.auto_score
    assert (second.id, second.version) == (first.id, 2)
    assert await chain.scored_count() == 2

    async with database.unit_of_work(system_actor("test")) as work:
        row = await work.session.get_one(Evaluation, first.id)
        row.state, row.score, row.answers = EvaluationState.SUBMITTED, Decimal("77.50"), {"manners": {"fraction": "1"}}
    await rows.transcript(call, PROMISE)
    await chain.ready(call)
    await chain.scores.on_compliance_checked((await chain.checked())[2])
    third = await chain.evaluation()
    assert (third.auto_score, third.score, third.version) == (second.auto_score, Decimal("77.50"), 2)
    assert await chain.scored_count() == 2
