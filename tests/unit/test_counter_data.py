"""The packaged catalogue and wordings, and classes of addresses."""

import hashlib

import pytest

from core.errors import NotFoundError
from core.rate_limit import address_key
from qa.compliance.rules import load_rules
from server.counter.address import AddressClass, address_class
from server.counter.catalogue import packaged_businesses
from server.counter.wordings import current_wording, packaged_wordings


def test_the_catalogue_offers_the_counter_businesses() -> None:
    codes = [entry.code for entry in packaged_businesses()]
    wanted = ["account_opening", "transfer", "wealth_signing", "password_reset", "loss_report"]
    wanted += ["info_change", "bill_payment", "account_closing", "inquiry"]
    assert codes == wanted
    assert [entry.code for entry in packaged_businesses() if not entry.recording_required] == ["inquiry"]


def test_script_rules_know_only_businesses_of_the_catalogue() -> None:
    named = {code for code in load_rules().businesses if code != "default"}
    assert named <= {entry.code for entry in packaged_businesses()}


def test_the_newest_wording_is_current_and_proved_by_its_text() -> None:
    wording = current_wording("recording")
    assert wording == [entry for entry in packaged_wordings() if entry.purpose == "recording"][-1]
    assert wording.sha256("zh-CN") == hashlib.sha256(wording.text_zh.encode()).hexdigest()
    assert wording.sha256("en") == hashlib.sha256(wording.text_en.encode()).hexdigest()


def test_a_published_wording_is_never_edited() -> None:
    # Stored consents refer to these bytes. Changing the text means a new version, not a new digest here.
    published = {
        ("recording", "2026-01"): "8dff75763d28e04805770d54931b7e7def36e4b7d4b910d20d89abed113f358a",
        ("recording", "2026-11"): "022d6aebabba18507a3eb14479b011f41a4c61f466a65d08a8907c1a64e323c5",
        ("signature", "2026-11"): "b2c971dd7ae00dd1b97cb1a1cf30a8338633d132aba4cf62477ad323b455484a",
        ("face", "2026-12"): "7c170560ecaad7b2a8a98c870e17bcb0ad0f9e6903b82fe7c3b0420dd77cf702",
    }
    for wording in packaged_wordings():
        assert wording.sha256("zh-CN") == published[wording.purpose, wording.version]


def test_unknown_purpose() -> None:
    with pytest.raises(NotFoundError, match="no such consent"):
        current_wording("marketing")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", AddressClass.LOOPBACK),
        ("::1", AddressClass.LOOPBACK),
        ("::ffff:127.0.0.1", AddressClass.LOOPBACK),
        ("10.1.2.3", AddressClass.PRIVATE),
        ("192.168.0.9", AddressClass.PRIVATE),
        ("fe80::1%eth0", AddressClass.PRIVATE),
        ("::ffff:10.0.0.1", AddressClass.PRIVATE),
        ("8.8.8.8", AddressClass.PUBLIC),
        ("2001:4860:4860::8888", AddressClass.PUBLIC),
        (None, AddressClass.UNKNOWN),
        ("/tmp/socket", AddressClass.UNKNOWN),
    ],
)
def test_address_classes(address: str | None, expected: AddressClass) -> None:
    assert address_class(address) is expected


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (None, "unknown"),
    ],
)
def test_limits_count_what_one_party_controls(address: str | None, key: str) -> None:
    assert address_key(address) == key
