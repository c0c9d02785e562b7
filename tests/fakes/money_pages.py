"""What people do on the pages where money moves: signing by hand, reviewing."""

from browser import Person
from playwright.async_api import expect

STEP_MS = 40_000


async def sign_document(customer: Person) -> None:
    """Read the document on the own screen and write a signature with the mouse."""
    await expect(customer.by("sign-document").locator("canvas").first).to_be_visible(timeout=STEP_MS)
    page = await customer.by("sign-document").bounding_box()
    assert page is not None
    assert page["height"] > 200, "the document has to be readable before it is signed"
    pad = customer.by("sign-pad")
    await pad.scroll_into_view_if_needed()
    box = await pad.bounding_box()
    assert box is not None
    mouse = customer.page.mouse
    for start, height in ((0.15, 0.3), (0.45, 0.5)):
        await mouse.move(box["x"] + box["width"] * start, box["y"] + box["height"] * height)
        await mouse.down()
        for step in range(1, 11):
            x, y = start + step * 0.025, height + (0.15 if step % 2 else -0.1)
            await mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        await mouse.up()
    await customer.by("sign-submit").click(timeout=STEP_MS)


async def approve(supervisor: Person, reason: str) -> None:
    """Open the request that waits, look, agree."""
    await supervisor.page.goto("/staff/reviews")
    await supervisor.by("review-waiting").first.click(timeout=STEP_MS)
    await expect(supervisor.by("review-sheet")).to_be_visible(timeout=STEP_MS)
    await supervisor.by("review-reason").fill(reason)
    await supervisor.by("review-approve").click()
    await expect(supervisor.by("review-approved").first).to_be_visible(timeout=STEP_MS)
