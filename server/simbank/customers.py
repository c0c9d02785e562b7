"""Customers of the demonstration and of tests, with their accounts. Numbers carry a valid check digit (GB 11643)."""

from dataclasses import dataclass

from server.simbank.ledger import Ledger


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account with money."""

    number: str
    owner_name: str
    id_number: str
    phone: str
    amount_fen: int


DEMO_ACCOUNTS = (
    DemoAccount("6222020200001234567", "张伟", "110101199003070791", "13800001234", 100_000_000),
    DemoAccount("6222020200007654321", "王秀英", "310104195005121220", "13900005678", 20_000_000),
    DemoAccount("6222020200009876543", "李强", "440305198511230032", "13700009999", 5_000_000),
    DemoAccount("6222021234567890123", "王小明", "110105199003074536", "13800138000", 100_000_000),
    DemoAccount("6222021234567890222", "王小明", "110105199003074536", "13800138000", 0),
    DemoAccount("6222020200007654333", "王秀英", "310104195005121220", "13900005678", 0),
    DemoAccount("6222029876543210987", "李华", "110101199003070791", "13600001111", 0),
)


async def seed(ledger: Ledger) -> None:
    """Make those that are not there."""
    for each in DEMO_ACCOUNTS:
        await ledger.endow(each.number, each.owner_name, each.id_number, each.phone, each.amount_fen)
