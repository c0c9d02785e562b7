"""Looking at a recording without keeping it: with a purpose, for a while, under a watermark that names the viewer.

The watermark is drawn by the page over the picture: the bytes that travel are the recording as it is. Who must not be
trusted with them gets the export, which has it in every picture.
"""

from datetime import timedelta

from sqlmodel import col, select

from core.db import Database
from core.errors import NotFoundError
from core.ids import new_id
from core.models.call import Call
from core.models.evidence import RecordingViewing
from core.models.recording import RecordingFile
from core.models.staff import Staff
from core.security.actor import Actor
from core.security.permissions import Permission
from recording.catalogue.service import Catalogue, PlainFile
from recording.evidence.access import access_evidence_call
from recording.evidence.schemas import ViewingFile, ViewingView

LASTS = timedelta(hours=1)


class ViewingService:
    """Begins viewings and opens files under them."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue

    async def begin(self, actor: Actor, call_id: str, purpose: str) -> ViewingView:
        """Say why; then the call's files can be looked at for an hour.

        Raises:
            DeniedError: no permission, or ``evidence.own_call``. ConflictError: ``evidence.not_ready``.
            NotFoundError: ``call.not_found``, ``recording.not_found`` (none, or deleted by now).
        """
        async with self._database.unit_of_work(actor) as work:
            call, recording = await access_evidence_call(work.session, actor, call_id, Permission.RECORDING_VIEW)
            query = select(RecordingFile).where(col(RecordingFile.call_id) == call.id)
            files = (
                await work.session.scalars(query.order_by(col(RecordingFile.party), col(RecordingFile.track)))
            ).all()
            if recording is None or not files:
                raise NotFoundError("this call has no recording", code="recording.not_found")
            staff = await work.session.get_one(Staff, actor.staff_id)
            now = work.clock.now()
            row = RecordingViewing(
                id=new_id("viewing"),
                call_id=call.id,
                staff_id=staff.id,
                purpose=purpose,
                watermark=f"{staff.staff_number} {staff.display_name}",
                at=now,
                expires_at=now + LASTS,
            )
            work.session.add(row)
            work.audit("recording.view", "call", call.id, viewing=row.id, purpose=purpose, watermark=row.watermark)
        return _view(row, call, list(files))

    async def open(self, actor: Actor, viewing_id: str, file_id: str) -> PlainFile:
        """A file of the own viewing that is not over.

        Raises:
            NotFoundError: ``viewing.not_found``: somebody else's, over, or of another call.
        """
        actor.require(Permission.RECORDING_VIEW)
        async with self._database.read() as session:
            row = await session.get(RecordingViewing, viewing_id)
            file = await session.get(RecordingFile, file_id)
        over = row is None or row.staff_id != actor.staff_id or row.expires_at <= self._database.clock.now()
        if row is None or over or file is None or file.call_id != row.call_id:
            raise NotFoundError("this viewing is over", code="viewing.not_found")
        return await self._catalogue.open_file(file_id)


def _view(row: RecordingViewing, call: Call, files: list[RecordingFile]) -> ViewingView:
    return ViewingView(
        viewing_id=row.id,
        call_id=call.id,
        call_number=call.number,
        watermark=row.watermark,
        expires_at=row.expires_at,
        files=[
            ViewingFile.model_validate({**file.model_dump(), "url": f"/api/viewings/{row.id}/files/{file.id}/media"})
            for file in files
        ],
    )
