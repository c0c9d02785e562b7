"""How much picture a browser is to send: what was asked for, lowered when its way is bad, restored when it is good.

Sound comes first. Where only the listener's way is too bad for a picture, the picture is not passed on, but still sent:
it is recorded all the same.
"""

from core.ports.media import Profile, ProfileReason

LADDER = (Profile.HD, Profile.VGA, Profile.LOW, Profile.AUDIO)

BAD_LOSS = 0.08
"""More than that for `BAD_S`: congestion, or a line on which repair costs more than it gives."""

AWFUL_LOSS = 0.25
BAD_S = 4
AWFUL_S = 2
SETTLE_S = 3
"""After a step down nothing counts for so long: what was sent before still fills the line, and reports come late."""

FAILED_S = 2
"""A step up on which it gets bad for so long at once was one too many."""

GOOD_LOSS = 0.03
GOOD_S = 15
MOST_GOOD_S = 120
"""A step up that did not last doubles the wait for the next one, up to this."""

LASTED_S = 20


class ProfileKeeper:
    """Decides one publisher's profile, once per second.

    Attributes:
        wish: The most that is asked for. limit: The most that people want to be sent all the same.
        spares_listener: The picture is sent, but is not to be passed on.
    """

    def __init__(self) -> None:
        self.wish = Profile.VGA
        self.limit = Profile.HD
        self.spares_listener = False
        self._line = 0  # the most that the line carries, as far as is known
        self._bad_s = self._awful_s = self._good_s = self._settles_s = 0
        self._wait_s = GOOD_S
        self._raised_ago_s: int | None = None

    @property
    def profile(self) -> Profile:
        """What the browser is to send now."""
        return Profile.LOW if self.spares_listener else LADDER[self._step]

    @property
    def why(self) -> ProfileReason:
        """What the present profile is due to."""
        if self._step == LADDER.index(self.wish):
            return "asked"
        return "hand" if self._step == LADDER.index(self.limit) else "line"

    @property
    def _top(self) -> int:
        return max(LADDER.index(self.wish), LADDER.index(self.limit))

    @property
    def _step(self) -> int:
        return max(self._line, self._top)

    def step(self, loss_up: float, loss_down: float = 0.0) -> Profile:
        """One more second.

        Args:
            loss_up / loss_down: Share of packets lost on the publisher's way up and on its listener's way down.
        """
        loss, was_silenced = max(loss_up, loss_down), self._step == len(LADDER) - 1
        settled = not self._settles_s
        self._settles_s = max(0, self._settles_s - 1)
        self._bad_s = self._bad_s + 1 if settled and loss > BAD_LOSS else 0
        self._awful_s = self._awful_s + 1 if settled and loss > AWFUL_LOSS else 0
        self._good_s = self._good_s + 1 if loss < GOOD_LOSS else 0
        if self._raised_ago_s is not None:
            self._raised_ago_s += 1
        is_fresh = self._raised_ago_s is not None and self._raised_ago_s <= LASTED_S
        is_bad = self._bad_s >= (FAILED_S if is_fresh else BAD_S) or self._awful_s >= AWFUL_S
        if is_bad and self._step < len(LADDER) - 1:
            self._wait_s = min(MOST_GOOD_S, 2 * self._wait_s) if is_fresh else self._wait_s
            self._move(self._step + 1, None)
            self._settles_s = SETTLE_S
        elif self._good_s >= self._wait_s and self._line > self._top:
            self._move(self._step - 1, 0)
        elif self._raised_ago_s is not None and self._raised_ago_s > LASTED_S:
            self._wait_s, self._raised_ago_s = GOOD_S, None
        silenced = self._step == len(LADDER) - 1 and self.why == "line"
        self.spares_listener = silenced and (self.spares_listener or not was_silenced) and loss_up <= BAD_LOSS
        return self.profile

    def _move(self, step: int, raised_ago_s: int | None) -> None:
        # Back at what is asked for, nothing speaks against more should that be asked for.
        self._line = step if step > self._top else 0
        self._raised_ago_s = raised_ago_s
        self._bad_s = self._awful_s = self._good_s = 0
