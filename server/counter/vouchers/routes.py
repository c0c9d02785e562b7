"""Endpoints of vouchers, signed documents and their verification."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from core.http import RouteTable, actor_of
from core.security.permissions import Permission
from server.counter.vouchers.schemas import OwnVoucher, PaperRow, VerificationView
from server.counter.vouchers.service import DocumentService

Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^\w+$")]
Code = Annotated[str, StringConstraints(max_length=40)]


def routes(service: DocumentService) -> RouteTable:
    """Own documents of a customer; those of calls for staff; verification by anybody."""
    table = RouteTable()

    @table.get("/api/visit/signed-documents/{document_id}", Permission.VISIT_OWN, produces="application/pdf")
    async def document(request: web.Request, document_id: Id, /) -> web.Response:
        return _pdf(await service.own_document(actor_of(request), document_id), document_id)

    @table.get("/api/visit/vouchers", Permission.VISIT_OWN)
    async def vouchers(request: web.Request) -> list[OwnVoucher]:
        return await service.own_vouchers(actor_of(request))

    @table.get("/api/visit/vouchers/{voucher_id}", Permission.VISIT_OWN, produces="application/pdf")
    async def voucher(request: web.Request, voucher_id: Id, /) -> web.Response:
        return _pdf(await service.own_voucher(actor_of(request), voucher_id), voucher_id)

    @table.get("/api/calls/{call_id}/papers", Permission.PAPERS_VIEW)
    async def papers(request: web.Request, call_id: Id, /) -> list[PaperRow]:
        return await service.papers(actor_of(request), call_id)

    @table.get("/api/papers/{paper_id}", Permission.PAPERS_VIEW, produces="application/pdf")
    async def paper(request: web.Request, paper_id: Id, /) -> web.Response:
        return _pdf(await service.paper(actor_of(request), paper_id), paper_id)

    @table.get("/api/verify/{code}", Permission.PUBLIC)
    async def verify(request: web.Request, code: Code, /) -> VerificationView:
        return await service.verify(code, request.remote)

    @table.get("/api/seal-certificate", Permission.PUBLIC, produces="application/x-pem-file")
    async def certificate(request: web.Request) -> web.Response:
        return web.Response(text=service.seal.certificate_pem, content_type="application/x-pem-file")

    return table


def _pdf(data: bytes, name: str) -> web.Response:
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'inline; filename="{name}.pdf"'}
    return web.Response(body=data, content_type="application/pdf", headers=headers)
