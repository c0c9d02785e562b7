"""Kind ``voucher``: the electronic voucher. It is promised at once, with its code; the PDF and the messages follow."""

from dataclasses import dataclass

from core.events import VoucherIssued
from core.ids import new_id
from core.models.signing import Voucher
from server.counter.kind import Config, Done, House, Json, Outcome, PlainKind, Side, Step, StepKind
from server.counter.signing.codes import new_code
from server.counter.signing.papers import mask, mask_name


class VoucherConfig(Config):
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class VoucherKind(PlainKind):
    """See the module."""

    house: House | None = None

    async def begin(self, step: Step) -> Outcome:
        assert self.house is not None
        facts = _facts(step)
        row = Voucher(
            id=new_id("voucher"),
            case_id=step.case.row.id,
            call_id=step.call.id,
            visit_id=step.call.visit_id,
            business_code=step.case.row.business_code,
            code=new_code(),
            sealed_facts=b"",
            masked=_masked(facts["values"]),
            issued_at=step.now,
        )
        row.sealed_facts = self.house.sealer.seal(facts, row.id)
        step.work.session.add(row)
        step.work.audit("voucher.issue", "voucher", row.id, call_id=step.call.id, case_id=step.case.row.id)
        step.work.emit(VoucherIssued(at=step.now, call_id=step.call.id, voucher_id=row.id))
        return Done({"voucher_id": row.id, "code": row.code})

    async def view(self, step: Step, side: Side) -> Json:
        return step.this.result


def _facts(step: Step) -> Json:
    posting = next(iter(step.case.results("posting")), {})
    return {
        "summary": next(iter(step.case.results("confirm")), {}).get("summary", []),
        "values": next(iter(step.case.results("form")), {}).get("values", {}),
        "account": posting.get("account"),
        "reviewer": next(iter(step.case.results("review")), {}).get("reviewer"),
        "signed": next(iter(step.case.results("sign")), {}).get("document", {}).get("code"),
        "interpreter": next(iter(step.case.results("sign")), {}).get("interpreter"),
    }


def _masked(values: Json) -> str:
    parts = []
    if values.get("name"):
        parts.append(mask_name(str(values["name"])))
    if values.get("account"):
        parts.append(mask(str(values["account"]), "account"))
    return " ".join(parts)


def build(house: House) -> StepKind:
    """For `server.counter.kinds`."""
    return VoucherKind("voucher", VoucherConfig, frozenset({"system"}), {}, house)
