"""Every setting of the product, from `AIRCOUNTER_…` variables, command options or defaults."""

import ipaddress
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.models.staff import Role
from core.proxies import Network, networks_of

EngineChoice = Literal["auto", "vosk", "whisper", "none"]


def _items(text: str) -> tuple[str, ...]:
    """The words of a comma separated list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


class Settings(BaseSettings):
    """Settings of one process. Child processes of the all-in-one inherit them through the environment.

    A variable that is set to nothing is not set.

    Attributes:
        data_dir: Folder of everything that is kept: engines' data, journals, objects, secrets, models.
        port: HTTP port of the edge.
        tls_pem: Key and certificate (with its chain) in one PEM file; then the edge speaks https only. Set by
            ``--tls``, which makes one; see `core.security.local_ca`.
        public_url: Address under which customers reach the pages, in links of messages; empty: `host` and `port`.
        database_url: PostgreSQL (``postgresql+asyncpg://…``); None starts the embedded one.
        redis_url: Redis protocol server; None starts the embedded one.
        store_url: Object store (``file:///…``, ``s3://bucket/prefix`` …); None is a folder in `data_dir`.
        models_dir: Speech models; None is the user's cache, shared by all installations of the machine.
        live_engine / final_engine: Which kind of speech engine hears the running call and the recorded file.
            live_model / final_model: Name of the model's folder; empty: the first that fits.
        speech_threads: CPU threads of an engine, and utterances recognised at the same time by a worker process.
        speech_language: Spoken language, for engines whose model knows several.
        speech_window_s: Whisper looks at a window of at least this length, at most 30: longer costs more CPU and errs
            less. live_beam / final_beam: How many readings it follows.
        live_end_silence_s: A pause this long ends a live caption's sentence.
        media_hosts: Addresses announced as ICE host candidates, comma separated; empty: loopback and the address of
            the default route (Firefox refuses a server that has only loopback).
        media_node_id: Name of this media process; no other one of the installation may have it.
        media_control_host / media_control_port: Where edges reach a media node; a port of 0 is any. media_control_url:
            Its address as edges see it, when that is another.
        drain_s: How long a process that is asked to end lets running calls go on, and an edge lets proxies notice.
        stop_s: How long an all-in-one then waits for its processes before it kills them.
        ops_host / ops_port: Where ``/health``, ``/ready`` and ``/metrics`` of a process are; 0: nowhere. In an
            all-in-one the media process takes the port, the worker and the edge the two after it.
        allow_newer_schema: Start although the database was migrated by a newer release (rolling upgrade).
        media_port_min / media_port_max: UDP ports of media nodes, both inclusive; 0 leaves the choice to the system.
        media_advertised_address: Announced in place of the addresses of `media_hosts` that are not loopback, for a
            server behind NAT. See docs/network.md.
        video_codec: What browsers send; one codec for the whole house, as nothing is ever transcoded.
        turn_urls: TURN servers, comma separated ``turn:`` and ``turns:`` addresses. turn_secret: Shared with
            them, at least 16 characters. turn_lifetime_s: Life of a browser's credential; must outlast a call.
        relay_only: Browsers may reach the media node through a TURN server only.
        smtp_url: Server that takes e-mail to customers, ``smtp://user:password@host:port?starttls=1`` or ``smtps://…``;
            None: no e-mail is sent. smtp_from: Sender's address.
        sms_url: A bank's message centre; None: the simulator of the all-in-one. sms_token: Its bearer token.
        bank_url: A bank's core system; None: the simulator of the all-in-one, on `bank_port` (0: any), with its books
            in `bank_database_url` (None: a database of its own beside the house's). bank_token: Bearer token.
        letter_box_url: Where the all-in-one's own message centre shows what it has taken, for the demo's helper on the
            customer's page; set by the supervisor with `demo`, never with a real centre.
        appeal_zh / appeal_en: Where a customer can object to a stopped business.
        ring_s: Time a teller has to accept an offer. wrap_up_s: Pause after a call before the next offer.
        identity_simulation: What the simulated identity services do, ``service=mode`` pairs, comma separated: services
            registry, face, phone, challenge; modes match, no_match, slow, down.
        face_engine: ``local`` compares faces on this machine, with the extra ``aircounter[face]``.
        timezone: Where the bank is: when its day begins, for the wallboard and the statistics.
        password_min_length: Of staff passwords. password_max_age_days: After so many a new one is asked for at sign-in;
            0: never. one_time_password_h: How long a one-time password from an administrator is good.
        totp_roles: Roles that must have an authenticator app, comma separated, e.g. ``admin,auditor``; others may.
        trusted_proxies: Addresses or networks of reverse proxies, comma separated, whose ``X-Forwarded-For`` and
            ``X-Forwarded-Proto`` are believed; from all others these headers are ignored.
        oidc_issuer: The bank's OpenID Connect provider, exactly as it calls itself; None: staff sign in here only.
            oidc_client_id / oidc_client_secret: The house's account there. oidc_username_claim: Claim with the user
            name. oidc_name: What stands on the button.
        rejoin_s: How long a lost customer's or teller's seat is kept.
        backup_target: Where workers put a backup every day: a folder, or an object store's address in another building;
            None: none are made by the clock. Its own credentials are read from ``BACKUP_AWS_…``, else ``AWS_…``.
            backup_at: When, at the bank's time. backup_keep: How many stay. drill_days: Days from one rehearsal of
            a restore to the next; 0: none.
        alarm_disk_free_gb: With less free on the data folder's disk somebody is called. alarm_jobs_s / alarm_speech_s:
            So long may a background job wait, and a recording for its transcript.
        webhook_networks: Networks inside the bank to which webhooks may lead, comma separated, e.g. ``10.20.0.0/16``;
            public addresses are allowed anyway (by https), everything else is not.
    """

    model_config = SettingsConfigDict(env_prefix="AIRCOUNTER_", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(default=8300, ge=1, le=65535)
    tls_pem: Path | None = None
    public_url: str = ""
    database_url: str | None = None
    redis_url: str | None = None
    store_url: str | None = None
    models_dir: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    demo: bool = False

    media_node_id: str = Field(default="media-1", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    media_control_port: int = 0
    media_control_host: str = "127.0.0.1"
    media_control_url: str = ""
    drain_s: float = Field(default=0.0, ge=0)
    stop_s: float = Field(default=10.0, gt=0)
    ops_host: str = "127.0.0.1"
    ops_port: int = Field(default=0, ge=0, le=65535)
    allow_newer_schema: bool = False
    media_hosts: str = ""
    media_port_min: int = Field(default=0, ge=0, le=65535)
    media_port_max: int = Field(default=0, ge=0, le=65535, validate_default=True)
    media_advertised_address: str | None = None

    video_codec: Literal["VP8", "H264"] = "VP8"

    turn_secret: str | None = Field(default=None, min_length=16, repr=False)
    turn_urls: str = Field(default="", validate_default=True)
    turn_lifetime_s: float = Field(default=4 * 3600.0, ge=60)
    relay_only: bool = Field(default=False, validate_default=True)

    live_engine: EngineChoice = "auto"
    final_engine: EngineChoice = "auto"
    live_model: str = ""
    final_model: str = ""
    speech_threads: int = Field(default=2, ge=1)
    speech_language: str = Field(default="zh", pattern="^[a-z]{2,3}$")
    speech_window_s: int = Field(default=15, ge=5, le=30)
    live_beam: int = Field(default=5, ge=1, le=10)
    final_beam: int = Field(default=5, ge=1, le=10)
    live_end_silence_s: float = Field(default=0.55, ge=0.2, le=2)

    smtp_url: str | None = Field(default=None, repr=False)
    smtp_from: str = "counter@localhost"
    sms_url: str | None = None
    sms_token: str = Field(default="", repr=False)
    letter_box_url: str | None = None
    bank_url: str | None = None
    bank_token: str = Field(default="", repr=False)
    bank_port: int = Field(default=0, ge=0, le=65535)
    bank_database_url: str | None = Field(default=None, repr=False)

    appeal_zh: str = "拨打客服热线，或在就近网点的大堂经理处提出申诉"
    appeal_en: str = "call customer service, or ask the lobby manager of a branch near you"

    ring_s: float = Field(default=20.0, gt=0)
    wrap_up_s: float = Field(default=10.0, ge=0)
    rejoin_s: float = Field(default=60.0, gt=0)

    webhook_networks: str = ""

    backup_target: str | None = None
    backup_at: str = Field(default="02:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    backup_keep: int = Field(default=14, ge=1)
    drill_days: int = Field(default=7, ge=0)

    alarm_disk_free_gb: float = Field(default=5.0, ge=0)
    alarm_jobs_s: float = Field(default=300.0, gt=0)
    alarm_speech_s: float = Field(default=1800.0, gt=0)

    identity_simulation: str = ""
    face_engine: Literal["simulator", "local"] = "simulator"
    timezone: str = "Asia/Shanghai"

    session_idle_s: float = Field(default=600.0, gt=0)
    session_max_s: float = Field(default=12 * 3600.0, gt=0)
    visit_token_s: float = Field(default=4 * 3600.0, gt=0)

    password_min_length: int = Field(default=10, ge=8, le=64)
    password_max_age_days: int = Field(default=90, ge=0)
    one_time_password_h: float = Field(default=24.0, gt=0)
    totp_roles: str = ""
    trusted_proxies: str = ""

    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    oidc_client_id: str = Field(default="", validate_default=True)
    oidc_client_secret: str = Field(default="", repr=False)
    oidc_username_claim: str = Field(default="preferred_username", pattern=r"^\w+$")
    oidc_name: str = "OpenID Connect"

    @field_validator("media_port_max")
    @classmethod
    def _check_ports(cls, last: int, info: ValidationInfo) -> int:
        first = info.data.get("media_port_min", 0)
        if (first, last) != (0, 0) and not 1024 <= first <= last:
            raise ValueError("with AIRCOUNTER_MEDIA_PORT_MIN it must be a range within 1024 and 65535")
        return last

    @field_validator("webhook_networks")
    @classmethod
    def _check_networks(cls, networks: str) -> str:
        for network in _items(networks):
            ipaddress.ip_network(network)
        return networks

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, proxies: str) -> str:
        networks_of(_items(proxies))
        return proxies

    @field_validator("oidc_client_id")
    @classmethod
    def _check_provider(cls, client_id: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not client_id:
            raise ValueError("the provider knows the house by it; set it together with AIRCOUNTER_OIDC_ISSUER")
        return client_id

    @field_validator("totp_roles")
    @classmethod
    def _check_roles(cls, roles: str) -> str:
        unknown = set(_items(roles)) - {role.value for role in Role}
        if unknown:
            raise ValueError(f"there is no role {', '.join(sorted(unknown))}")
        return roles

    @field_validator("turn_urls")
    @classmethod
    def _check_turn(cls, urls: str, info: ValidationInfo) -> str:
        if any(not url.startswith(("turn:", "turns:")) for url in _items(urls)):
            raise ValueError("every address must begin with turn: or turns:")
        if urls and "turn_secret" in info.data and not info.data["turn_secret"]:
            raise ValueError("it needs AIRCOUNTER_TURN_SECRET")
        return urls

    @field_validator("relay_only")
    @classmethod
    def _check_relay_only(cls, relay_only: bool, info: ValidationInfo) -> bool:
        if relay_only and not info.data.get("turn_urls", "unknown"):
            raise ValueError("it needs AIRCOUNTER_TURN_URLS")
        return relay_only

    @property
    def scheme(self) -> str:
        """What the edge itself speaks."""
        return "https" if self.tls_pem else "http"

    @property
    def site_url(self) -> str:
        """Address customers reach the house at, without a slash at the end."""
        return (self.public_url or f"{self.scheme}://{self.host}:{self.port}").rstrip("/")

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Networks of the reverse proxies in front of the house."""
        return networks_of(_items(self.trusted_proxies))

    @property
    def totp_obligatory(self) -> frozenset[str]:
        """Roles that must have an authenticator app."""
        return frozenset(_items(self.totp_roles))

    @property
    def turn_addresses(self) -> tuple[str, ...]:
        """The TURN servers' addresses."""
        return _items(self.turn_urls)

    @property
    def models_path(self) -> Path:
        """The folder in which speech models are looked for."""
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        return self.models_dir or cache / "aircounter" / "models"

    @property
    def journal_path(self) -> Path:
        """The folder of running recordings' journals."""
        return self.data_dir / "journals"
