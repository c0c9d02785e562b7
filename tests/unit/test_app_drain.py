"""A node that drains is chosen last, keeps its calls, and ends when they have."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.app.drain import Drain
from server.media.control_client import HttpMediaControl, NodeInfo


def _control(nodes: Sequence[NodeInfo], stored: str | None) -> HttpMediaControl:
    async def alive() -> Sequence[NodeInfo]:
        return nodes

    async def get_node(call_id: str) -> str | None:
        return stored

    async def set_node(call_id: str, node_id: str, replacing: str | None) -> str:
        return node_id

    nobody: Any = None
    return HttpMediaControl(nobody, "secret", alive, get_node, set_node)


NODES = st.lists(
    st.builds(
        NodeInfo, st.text("abcdef", min_size=1, max_size=3), st.just("http://n"), st.integers(0, 9), st.booleans()
    ),
    min_size=1,
    unique_by=lambda node: node.node_id,
)


@given(NODES)
async def test_the_least_loaded_open_node_is_chosen(nodes: list[NodeInfo]) -> None:
    chosen = await _control(nodes, None)._node_for("call")
    open_ones = [node for node in nodes if not node.draining]
    assert chosen.load == min(node.load for node in open_ones or nodes)
    assert chosen.draining is (not open_ones)


@given(NODES)
async def test_a_call_stays_where_it_is(nodes: list[NodeInfo]) -> None:
    assert await _control(nodes, nodes[0].node_id)._node_for("call") == nodes[0]


async def test_it_ends_with_the_last_call_or_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.app.drain.LOOK_S", 0.001)
    sent_away: list[bool] = []

    async def send_waiting_away() -> None:
        sent_away.append(True)

    nobody: Any = None
    drain, left = Drain(nobody, "media-1", send_waiting_away), [2, 1, 0, 0]
    await drain.until_empty(lambda: left.pop(0), 1.0)
    assert (drain.on, sent_away, len(left)) == (True, [True], 0)
    stuck = Drain(nobody, "media-1", send_waiting_away)
    await stuck.until_empty(lambda: 1, 0.01)
    at_once = Drain(nobody, "media-1", send_waiting_away)
    await at_once.until_empty(lambda: 1, 0.0)
    assert at_once.on is False
