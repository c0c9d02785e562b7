"""Secure pauses asked for from other processes: the media process's answer and the client for it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

import aiohttp
from aiohttp import web

from core.errors import BadInputError, ConflictError, UnavailableError
from core.ports.media import Seat
from core.ports.recording import PauseRequest
from recording.capture.recorder import Recorder

PATH = "/v1/calls/{call_id}/recording/pause"
TIMEOUT_S = 3.0


def control_routes(recorder: Recorder) -> list[web.RouteDef]:
    """For the media process's control API, which checks the caller and codes the errors."""

    async def pause(request: web.Request) -> web.Response:
        try:
            body = PauseRequest.model_validate_json(await request.read())
        except ValueError:
            raise BadInputError("this is no request for a pause", code="media.bad_request") from None
        call_id = request.match_info["call_id"]
        if not body.on:
            recorder.resume(call_id, body.by)
            return web.json_response({"until": None})
        seats = {Seat(party) for party in body.parties}
        until = recorder.pause(call_id, seats, body.reason, body.by, body.longest_s)
        return web.json_response({"until": until.isoformat()})

    return [web.post(PATH, pause)]


class HttpRecordingPauses:
    """Implements `core.ports.recording.RecordingPauses`.

    Args:
        node_url: Base address of the control API of the node that carries a call; None when it is gone.
    """

    def __init__(
        self, session: aiohttp.ClientSession, secret: str, node_url: Callable[[str], Awaitable[str | None]]
    ) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._node_url = node_url

    async def set_pause(self, call_id: str, request: PauseRequest) -> datetime | None:
        """See `RecordingPauses.set_pause`."""
        url = await self._node_url(call_id)
        if url is None:
            raise UnavailableError("no media node carries the call", code="media.unavailable")
        path = PATH.format(call_id=quote(call_id, safe=""))
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        body = request.model_dump(mode="json")
        try:
            async with self._session.post(url + path, json=body, headers=self._headers, timeout=timeout) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnavailableError("the media node does not answer", code="media.unavailable") from error
        if response.status == 409:
            raise ConflictError("the call is not being recorded", code="recording.not_running")
        if response.status != 200:
            raise UnavailableError("the media node refused the pause", code="media.unavailable")
        return datetime.fromisoformat(answer["until"]) if answer["until"] else None
