"""Which requests to the core system a business is made of. Pure; the amounts and numbers were checked by the form."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from core.ports.banking import RequestKind

Operation = Literal["transfer", "payment", "open", "close", "lock", "contact", "password"]
Values = Mapping[str, Any]
Plan = list[tuple[RequestKind, dict[str, Any]]]

NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "transfer": {
        "account": ("account",),
        "payee_account": ("account",),
        "payee_name": ("name",),
        "amount": ("amount",),
    },
    "payment": {"account": ("account",), "kind": ("choice",), "customer_number": ("text",), "amount": ("amount",)},
    "open": {"name": ("name",), "id_number": ("id_number",), "phone": ("phone",)},
    "close": {"account": ("account",), "to_account": ("account",)},
    "lock": {"id_number": ("id_number",), "operation": ("choice",)},
    "contact": {"id_number": ("id_number",)},
    "password": {"account": ("account",)},
}
"""Fields of the form that an operation cannot do without, and of which types they are."""

CHOICES: dict[str, dict[str, frozenset[str]]] = {"lock": {"operation": frozenset({"lock", "unlock"})}}
"""Answers an operation understands."""


def plan_for(operation: Operation, values: Values, fee_fen: int) -> Plan:
    """The requests, in the order they are booked; all of them or none.

    Args:
        values: Of the business's form.

    Raises:
        KeyError: the form lacks what the operation needs.
    """
    return _PLANS[operation](values, fee_fen)


def masked_for(values: Values) -> str:
    """What people may see: the last four digits of each account."""
    numbers = [values.get("account"), values.get("payee_account") or values.get("to_account")]
    return " → ".join(f"尾号 {str(number)[-4:]}" for number in numbers if number)


def _paid(payer: str, payee: dict[str, Any], amount: int, fee: int) -> Plan:
    plan: Plan = [
        ("hold", {"account": payer, "amount_fen": amount + fee}),
        ("transfer", {"account": payer, "amount_fen": amount, **payee}),
    ]
    if fee:
        plan.append(("fee", {"account": payer, "amount_fen": fee}))
    return plan


def _transfer(values: Values, fee: int) -> Plan:
    payee = {"payee_account": values["payee_account"], "payee_name": values["payee_name"]}
    return _paid(values["account"], payee, values["amount"], fee)


def _payment(values: Values, fee: int) -> Plan:
    payee = {"payee_account": f"biller-{values['kind']}-{values['customer_number']}", "payee_name": values["kind"]}
    return _paid(values["account"], payee, values["amount"], fee)


def _open(values: Values, fee: int) -> Plan:
    return [("open", {"owner_name": values["name"], "id_number": values["id_number"], "phone": values["phone"]})]


def _close(values: Values, fee: int) -> Plan:
    account = values["account"]
    return [
        ("sweep", {"account": account, "to_account": values["to_account"]}),
        ("status", {"account": account, "to": "closed"}),
    ]


def _lock(values: Values, fee: int) -> Plan:
    to = "frozen" if values["operation"] == "lock" else "active"
    return [("status", {**_whose(values), "to": to})]


def _contact(values: Values, fee: int) -> Plan:
    return [("contact", {**_whose(values), "phone": values["phone"]})] if values.get("phone") else []


def _password(values: Values, fee: int) -> Plan:
    return [("password", {"account": values["account"]})]


def _whose(values: Values) -> dict[str, Any]:
    """One account, or all of a person who does not know the number."""
    return {"account": values["account"]} if values.get("account") else {"id_number": values["id_number"]}


_PLANS: dict[str, Callable[[Values, int], Plan]] = {
    "transfer": _transfer,
    "payment": _payment,
    "open": _open,
    "close": _close,
    "lock": _lock,
    "contact": _contact,
    "password": _password,
}
