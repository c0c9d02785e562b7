"""Rating and results over HTTP, behind the real guard."""

from counter import open_counter
from http_app import always, serving
from redis.asyncio import Redis

from core.bus import Bus
from core.db import Database
from core.security.actor import customer_actor, staff_actor


async def test_rating_and_result(database: Database, bus: Bus, redis: Redis) -> None:
    async with open_counter(database, bus, redis) as counter:
        visit_id = await counter.add_visit()
        teller, customer = await counter.teller("chen"), await counter.customer(visit_id)
        table = counter.calls.routes
        async with serving([table], always(customer_actor(visit_id))) as client:
            early = await client.post("/api/visit/rating", json={"stars": 5})
            assert (early.status, (await early.json())["error"]["code"]) == (409, "rating.no_call")
            call_id = (await customer.ask("queue.join"))["call"]["call_id"]
            offer = await teller.see("offer.ring")
            await teller.ask("offer.accept", offer_id=offer["offer_id"])
            await customer.ask("call.hangup")
            for wrong in ({"stars": 0}, {"stars": 6}, {}, {"stars": 5, "x": 1}, {"stars": 5, "tags": ["t"] * 11}):
                refused = await client.post("/api/visit/rating", json=wrong)
                assert (refused.status, (await refused.json())["error"]["code"]) == (400, "input.invalid"), wrong
            rated = await client.post("/api/visit/rating", json={"stars": 4, "tags": ["patient"], "comment": "好"})
            assert (rated.status, await rated.json()) == (200, {})
            again = await client.post("/api/visit/rating", json={"stars": 1})
            assert (again.status, (await again.json())["error"]["code"]) == (409, "rating.exists")
            own = await (await client.get(f"/api/calls/{call_id}/result")).json()
            assert (own["ended"], own["end_reason"]) == (True, "customer_hung_up")
            # Nothing was recorded: media never came.
            waiting = dict.fromkeys(("transcript", "compliance", "score"), "waiting")
            assert own["stages"] == {"recording": "none", **waiting}
        for actor, status in (
            (None, 401),
            (customer_actor("visit_other"), 404),
            (staff_actor("staff_chen", ["teller"]), 403),
            (staff_actor("staff_li", ["inspector"]), 200),
        ):
            async with serving([table], always(actor)) as client:
                assert (await client.get(f"/api/calls/{call_id}/result")).status == status
